// An inspection as text for people and as JSON for programs.

#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "node/commands/inspection.hpp"
#include "node/commands/progress.hpp"

namespace kiwi {
namespace {

using nlohmann::ordered_json;

/// As INFO shows ids.
std::string hex(std::uint64_t x) {
  char text[17];
  std::snprintf(text, sizeof text, "%016" PRIx64, x);
  return text;
}

const char* to_string(SnapshotFolder::Kind kind) {
  switch (kind) {
    case SnapshotFolder::Kind::built:
      return "built";
    case SnapshotFolder::Kind::incoming:
      return "incoming";
    case SnapshotFolder::Kind::leftover:
      return "leftover";
  }
  return "?";
}

class Lines {
 public:
  void add(const std::string& name, const std::string& value) {
    text += name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value + "\n";
  }
  std::string text;
};

std::string verdict(const Inspection& i) {
  std::size_t damage = 0, torn = 0;
  for (const auto& f : i.findings) {
    damage += f.kind == storage::FindingKind::damage;
    torn += f.kind == storage::FindingKind::torn;
  }
  if (damage > 0)
    return "DAMAGED, " + std::to_string(damage) + (damage == 1 ? " place" : " places");
  if (torn > 0)
    return "whole, but the newest write is torn or damaged; the next start cuts it";
  return "whole, all checksums are right";
}

void add_identity(const Inspection& i, Lines& lines) {
  if (!i.log.identity) {
    lines.add("identity", "cannot be read");
    return;
  }
  const auto& id = *i.log.identity;
  lines.add("node", to_string(id.node) + ", address " + kiwi::to_string(id.address));
  lines.add("cluster", id.cluster ? hex(id.cluster.value) : "none yet");
  lines.add("instance", hex(id.instance.value));
}

void add_log(const Inspection& i, Lines& lines) {
  const auto& log = i.log;
  if (log.state) {
    const auto& s = *log.state;
    const bool empty = s.last.index == s.purged.index;
    lines.add("term, vote", "term " + to_string(s.vote.term) + ", voted for " +
                                (s.vote.voted_for ? "node " + to_string(s.vote.voted_for) : "nobody"));
    lines.add("log", (empty ? "no entries"
                            : "entries " + to_string(s.purged.index + 1) + " to " + to_string(s.last.index)) +
                         ", last " + to_string(s.last) + ", purged up to " + to_string(s.purged));
  } else {
    lines.add("log", "its ends and the vote cannot be read");
  }
  lines.add("log files", std::to_string(log.tables) + " tables, " + std::to_string(log.wal_files) +
                             " write-ahead logs, " + bytes_text(log.bytes));
}

void add_data(const Inspection& i, Lines& lines) {
  const auto& data = i.data;
  if (!data.there)
    lines.add("data", "missing");
  else if (!data.state)
    lines.add("data", "the applied state cannot be read");
  else
    lines.add("data", "applied " + to_string(data.state->last_log_id) + ", clock " +
                          std::to_string(data.state->timestamp_ms) + " ms");
  if (!data.digest.empty())
    lines.add("digest", data.digest + ", " + std::to_string(data.keys) + " keys, " +
                            std::to_string(data.keys_with_expiry) + " with a deadline");
  lines.add("data files", std::to_string(data.tables) + " tables, " + bytes_text(data.bytes));
}

ordered_json members_json(const Membership& m) {
  auto all = ordered_json::array();
  for (const auto& x : m.members)
    all.push_back({{"id", x.id.value}, {"address", kiwi::to_string(x.address)}, {"voter", m.is_voter(x.id)}});
  return all;
}

ordered_json id_json(LogId id) { return {{"term", id.term.value}, {"index", id.index.value}}; }

ordered_json log_json(const storage::LogReport& log) {
  ordered_json j = {{"tables", log.tables}, {"write_ahead_logs", log.wal_files}, {"bytes", log.bytes}};
  if (log.state) {
    j["term"] = log.state->vote.term.value;
    j["voted_for"] = log.state->vote.voted_for.value;
    j["purged"] = id_json(log.state->purged);
    j["first_index"] = log.state->purged.index.value + 1;
    j["last"] = id_json(log.state->last);
  }
  return j;
}

ordered_json data_json(const Inspection& i) {
  const auto& data = i.data;
  ordered_json j = {
      {"there", data.there}, {"folder", i.data_folder}, {"tables", data.tables}, {"bytes", data.bytes}};
  if (data.state) {
    j["applied"] = id_json(data.state->last_log_id);
    j["clock_ms"] = data.state->timestamp_ms;
  }
  if (!data.digest.empty()) {
    j["digest"] = data.digest;
    j["keys"] = data.keys;
    j["keys_with_expiry"] = data.keys_with_expiry;
  }
  return j;
}

/// Paths may hold any bytes.
std::string dump(const ordered_json& j) {
  return j.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string inspection_text(const Inspection& i) {
  Lines lines;
  lines.add("directory", i.dir + ", " + bytes_text(i.bytes));
  add_identity(i, lines);
  add_log(i, lines);
  add_data(i, lines);
  lines.add("membership", membership_text(i.membership) + (i.membership_id == LogId{}
                                                               ? ", the initial one"
                                                               : ", by entry " + to_string(i.membership_id)));
  for (const auto& s : i.snapshots.folders)
    lines.add("snapshot", std::string(to_string(s.kind)) + (s.id.empty() ? " " + s.path : " " + s.id) + ", " +
                              bytes_text(s.bytes) + (s.of > s.bytes ? " of " + bytes_text(s.of) : ""));
  if (i.snapshots.pending)
    lines.add("install", "pending, snapshot " + i.snapshots.pending->snapshot_id);
  for (const auto& a : i.aside)
    lines.add("set aside",
              a.path + ", " + bytes_text(a.bytes) + (a.cause.empty() ? "" : ", because of: " + a.cause));
  for (const auto& f : i.findings)
    lines.add(storage::to_string(f.kind), f.what + ", " + f.where + ": " + f.why);
  lines.add("verdict", verdict(i));
  return lines.text;
}

std::string inspection_json(const Inspection& i) {
  ordered_json j;
  j["directory"] = i.dir;
  j["bytes"] = i.bytes;
  if (i.log.identity) {
    const auto& id = *i.log.identity;
    j["identity"] = {{"node", id.node.value},
                     {"cluster", hex(id.cluster.value)},
                     {"instance", hex(id.instance.value)},
                     {"address", kiwi::to_string(id.address)}};
  }
  j["log"] = log_json(i.log);
  j["data"] = data_json(i);
  j["membership"] = {{"by_entry", id_json(i.membership_id)}, {"members", members_json(i.membership)}};
  j["snapshots"] = ordered_json::array();
  for (const auto& s : i.snapshots.folders)
    j["snapshots"].push_back({{"kind", to_string(s.kind)},
                              {"id", s.id},
                              {"path", s.path},
                              {"bytes", s.bytes},
                              {"of_bytes", s.of}});
  if (i.snapshots.pending)
    j["pending_install"] = i.snapshots.pending->snapshot_id;
  j["set_aside"] = ordered_json::array();
  for (const auto& a : i.aside)
    j["set_aside"].push_back({{"path", a.path}, {"bytes", a.bytes}, {"cause", a.cause}});
  j["findings"] = ordered_json::array();
  for (const auto& f : i.findings)
    j["findings"].push_back(
        {{"kind", storage::to_string(f.kind)}, {"what", f.what}, {"where", f.where}, {"why", f.why}});
  j["verdict"] = i.damaged() ? "damaged" : i.torn() ? "torn" : "whole";
  return dump(j);
}

}  // namespace kiwi
