#include "node/commands/inspection.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "node/commands/progress.hpp"
#include "storage/data_directory.hpp"
#include "storage/snapshot_install.hpp"

namespace kiwi {
namespace {

namespace fs = std::filesystem;
using storage::FindingKind;

/// What will be read: log tables and data tables, whose rows are read too, and snapshots.
std::uint64_t bytes_to_read(const std::string& dir, const std::string& data) {
  return storage::bytes_below(nullptr, dir + "/log") + 2 * storage::bytes_below(nullptr, data) +
         storage::bytes_below(nullptr, dir + "/snapshots");
}

/// DIR/data, or the snapshot whose install is not done yet.
std::string data_folder_of(const std::string& dir, const std::optional<SnapshotMeta>& pending) {
  auto data = storage::data_folder(dir);
  if (!pending)
    return data;
  auto incoming = storage::incoming_folder(dir, pending->snapshot_id);
  const bool swapped = fs::exists(data) && (fs::exists(dir + "/data.old") || !fs::exists(incoming));
  return swapped ? data : incoming;
}

std::vector<AsideFolder> folders_aside(const std::string& dir) {
  std::vector<AsideFolder> found;
  for (const auto& entry : fs::directory_iterator(dir)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(storage::kDamagedDataPrefix) && name != "data.old")
      continue;
    AsideFolder folder;
    folder.path = entry.path().string();
    folder.bytes = storage::bytes_below(nullptr, folder.path);
    std::ifstream cause(entry.path() / "KIWI-DAMAGED", std::ios::binary);
    folder.cause.assign(std::istreambuf_iterator<char>(cause), {});
    found.push_back(std::move(folder));
  }
  std::sort(found.begin(), found.end(),
            [](const AsideFolder& a, const AsideFolder& b) { return a.path < b.path; });
  return found;
}

void note(Inspection& i, std::string what, std::string where, std::string why) {
  i.findings.push_back({FindingKind::note, std::move(what), std::move(where), std::move(why)});
}

/// What follows from log and data together.
void compare(Inspection& i) {
  const auto mark = i.dir + "/" + std::string(storage::kRestoringFile);
  if (fs::exists(mark))
    i.findings.push_back({FindingKind::damage, "restore of a backup", mark,
                          "it was interrupted: no node starts here; run kiwi-node restore again"});
  if (!i.log.there)
    i.findings.push_back({FindingKind::damage, "log", i.dir + "/log", "it is missing"});
  if (i.snapshots.pending) {
    const auto& pending = *i.snapshots.pending;
    note(i, "install of snapshot " + pending.snapshot_id, i.dir + "/snapshots/INSTALL",
         "it was interrupted; the next start finishes it");
    if (i.data.state && i.data.state->last_log_id != pending.last_log_id)
      i.findings.push_back({FindingKind::damage, "snapshot to be installed", i.data_folder,
                            "it holds the state as of " + to_string(i.data.state->last_log_id) +
                                ", and the intent says " + to_string(pending.last_log_id)});
  }
  const auto purged = i.log.state ? i.log.state->purged.index : Index();
  const std::string fate = purged ? "the next start sets it aside and waits for a snapshot from its peers"
                                  : "the next start sets it aside and applies the log from its beginning";
  if (storage::has_damage(i.data.findings) && i.log.recovered)
    note(i, "damaged data database", i.data_folder, fate);
  else if (!i.data.there && i.log.there)
    note(i, "missing data database", i.data_folder,
         purged ? "the next start waits for a snapshot from its peers"
                : "the next start applies the log from its beginning");
  else if (i.data.state && i.data.state->last_log_id.index < purged && !i.snapshots.pending)
    note(i, "data database behind the log", i.data_folder,
         "the log begins at " + to_string(purged + 1) +
             ": the node applies nothing before it has a snapshot from its peers");
}

void find_membership(Inspection& i) {
  if (i.log.identity)
    i.membership = i.log.identity->initial_membership;
  if (i.data.state && !i.data.state->membership.members.empty()) {
    i.membership = i.data.state->membership;
    i.membership_id = i.data.state->membership_id;
  }
  if (i.log.recovered)
    for (const auto& [id, membership] : i.log.recovered->memberships)
      if (id.index > i.membership_id.index) {
        i.membership = membership;
        i.membership_id = id;
      }
}

}  // namespace

bool Inspection::torn() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const auto& f) { return f.kind == FindingKind::torn; });
}

int Inspection::exit_code() const { return damaged() ? kExitDamaged : torn() ? kExitTornWrite : 0; }

Inspection inspect_directory(const std::string& dir) {
  Inspection i;
  i.dir = dir;
  i.bytes = storage::bytes_below(nullptr, dir);
  const auto pending = storage::pending_install(nullptr, dir);
  i.data_folder = data_folder_of(dir, pending ? *pending : std::nullopt);
  Progress progress("verifying", bytes_to_read(dir, i.data_folder));
  const storage::VerifyPiece piece = [&](const std::string& where, std::uint64_t bytes) {
    progress.add(bytes, where);
    return true;
  };
  i.data = verify_data(nullptr, i.data_folder, piece);
  i.snapshots = verify_snapshots(nullptr, dir, piece);
  storage::LogStoreOptions log;
  log.dir = dir + "/log";
  if (i.snapshots.pending)
    log.installed = i.snapshots.pending->last_log_id;
  else if (i.data.state)
    log.durable_applied = i.data.state->last_log_id.index;
  i.log = storage::verify_log(log, piece);
  i.aside = folders_aside(dir);
  for (const auto* part : {&i.log.findings, &i.data.findings, &i.snapshots.findings})
    i.findings.insert(i.findings.end(), part->begin(), part->end());
  find_membership(i);
  compare(i);
  return i;
}

std::string membership_text(const Membership& m) {
  std::string text;
  for (const auto& x : m.members)
    text += (text.empty() ? "" : ",") + to_string(x.id) + "=" + to_string(x.address);
  return text.empty() ? "none" : text;
}

}  // namespace kiwi
