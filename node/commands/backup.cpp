// kiwi-node backup --dir DIR --to FOLDER

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "node/commands/progress.hpp"
#include "node/commands/redis_call.hpp"
#include "node/commands/run.hpp"
#include "node/commands/stopped_directory.hpp"
#include "node/options.hpp"
#include "statemachine/backup_folder.hpp"
#include "storage/backup_staging.hpp"
#include "storage/snapshot_files.hpp"
#include "storage/snapshot_install.hpp"
#include "storage/verify_log.hpp"

namespace kiwi {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// A node may be installing a snapshot, or remove what it built before it is linked.
constexpr int kTries = 5;
constexpr std::chrono::seconds kPause(2);

/// Sleeps so that copying keeps to a rate. Checking what was copied is not counted.
class Pace {
 public:
  explicit Pace(std::uint64_t bytes_per_second) : rate_(bytes_per_second) {}
  void add(std::uint64_t bytes) {
    if (rate_ == 0)
      return;
    bytes_ += bytes;
    std::this_thread::sleep_until(began_ +
                                  std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                      static_cast<double>(bytes_) / static_cast<double>(rate_))));
  }

 private:
  std::uint64_t rate_, bytes_ = 0;
  Clock::time_point began_ = Clock::now();
};

struct Place {
  std::string host;
  std::uint16_t port = 0;
};

CommandResult<Place> place_of(const BackupArguments& a) {
  if (!a.address.empty()) {
    // A raft port may follow, as everywhere else; it is of no use here, so any will do.
    auto parsed = parse_address(a.address);
    for (const char* raft_port : {"@1", "@2"})
      if (!parsed && a.address.find('@') == std::string::npos)
        parsed = parse_address(a.address + raft_port);
    if (!parsed)
      return command_failed(kExitUsage, "--address: " + parsed.error());
    return Place{parsed->host, parsed->redis_port};
  }
  storage::LogStoreOptions log;
  log.dir = a.dir + "/log";
  auto identity = storage::read_identity(log);
  for (int i = 1; !identity && i < kTries; ++i) identity = storage::read_identity(log);
  if (!identity)
    return command_failed(kExitBadDataDirectory,
                          identity.error().cause + "; give the node's address with --address");
  return Place{identity->address.host, identity->address.redis_port};
}

/// The id of a snapshot that the node has just built, or built before and that is as new as what it had
/// applied when it was asked.
CommandResult<std::string> ask_for_snapshot(const Place& place) {
  const auto began = Clock::now();
  const auto answer = redis_call(place.host, place.port, {"RAFT.SNAPSHOT"}, [&] {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began).count();
    std::fprintf(stderr, "kiwi-node: the node builds a snapshot, %lld s\n", static_cast<long long>(seconds));
  });
  if (!answer)
    return tl::unexpected(answer.error());
  const auto& words = answer->words;
  if (answer->is_error)
    return command_failed(kExitNoAnswer, "the node says: " + (words.empty() ? "" : words.front()));
  if (words.size() < 2 || words[0] != "id")
    return command_failed(kExitNoAnswer, "the node's answer to RAFT.SNAPSHOT is not understood");
  return words[1];
}

CommandResult<std::string> stage_snapshot(const BackupArguments& a, const Place& place,
                                          storage::BackupStaging& staging) {
  CommandError error;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0)
      std::this_thread::sleep_for(kPause);
    const auto id = ask_for_snapshot(place);
    if (!id) {
      error = id.error();
      if (error.text.find("says") == std::string::npos)
        break;  // nobody is there: asking again does not help
      continue;
    }
    const auto folder = storage::built_folder(a.dir) + "/" + *id;
    const auto linked = staging.link_all(folder);
    if (!linked)
      return command_failed(linked.error());
    if (*linked)
      return *id;
    error = {"the node built snapshot " + *id + ", but " + folder +
                 " is not there; is it the node of this directory?",
             kExitNoAnswer};
  }
  return tl::unexpected(error);
}

struct Source {
  std::string folder;
  std::vector<std::string> names;
  std::string id;  // empty: not known
};

CommandResult<BackupMade> copy(const BackupArguments& a, const Source& source) {
  std::uint64_t total = 0;
  for (const auto& name : source.names) {
    std::error_code error;
    const auto bytes = fs::file_size(source.folder + "/" + name, error);
    total += error ? 0 : bytes;
  }
  Progress progress("copying and verifying", 3 * total);
  Pace pace(a.rate_bytes);
  std::uint64_t copied = 0;
  const storage::VerifyPiece piece = [&](const std::string& where, std::uint64_t bytes) {
    if (copied < total) {
      copied += bytes;
      pace.add(bytes);
    }
    progress.add(bytes, where);
    return true;
  };
  auto made = write_backup(nullptr, source.folder, source.names, source.id, a.to, piece);
  if (!made)
    return command_failed(made.error());
  return std::move(*made);
}

int tell(const BackupArguments& a, const BackupMade& made) {
  const auto& meta = made.manifest.meta;
  std::printf("backup        %s, %s in %zu files\n", a.to.c_str(), bytes_text(made.manifest.bytes()).c_str(),
              made.manifest.files.size());
  std::printf("snapshot      %s\n", meta.snapshot_id.c_str());
  std::printf("as of         %s, clock %llu ms\n", to_string(meta.last_log_id).c_str(),
              static_cast<unsigned long long>(meta.timestamp_ms));
  std::printf("digest        %s, %llu keys\n", made.data.digest.c_str(),
              static_cast<unsigned long long>(made.data.keys));
  return 0;
}

CommandResult<int> backup_running(const BackupArguments& a) {
  const auto place = place_of(a);
  if (!place)
    return tl::unexpected(place.error());
  const auto staging = storage::BackupStaging::make(nullptr, a.dir);
  if (!staging)
    return command_failed(staging.error());
  const auto id = stage_snapshot(a, *place, **staging);
  if (!id)
    return tl::unexpected(id.error());
  Source source{(*staging)->files(), {}, *id};
  const auto names = storage::snapshot_files(nullptr)->list(source.folder);
  if (!names)
    return command_failed(names.error());
  for (const auto& [name, bytes] : names->files) source.names.push_back(name);
  const auto made = copy(a, source);
  if (!made)
    return tl::unexpected(made.error());
  return tell(a, *made);
}

/// Entries that are in the log and not in the data: the node would apply those of them that are committed.
void warn_of_tail(const std::string& dir, const SnapshotMeta& backed_up) {
  storage::LogStoreOptions options;
  options.dir = dir + "/log";
  const auto log = storage::verify_log(options, {});
  if (!log.state || log.state->last.index <= backed_up.last_log_id.index)
    return;
  std::fprintf(
      stderr,
      "kiwi-node: WARNING: the log of this node goes on to %s. Entries %s to %s are NOT in the backup; "
      "which of them were acknowledged is not known here. To have those in it, start the node and "
      "back it up while it runs.\n",
      to_string(log.state->last).c_str(), to_string(backed_up.last_log_id.index + 1).c_str(),
      to_string(log.state->last.index).c_str());
}

CommandResult<int> backup_stopped(const BackupArguments& a) {
  const auto kept = StoppedDirectory::take(a.dir);
  if (!kept)
    return tl::unexpected(kept.error());
  if (const auto cleared = storage::remove_stale_backup_staging(nullptr, a.dir); !cleared)
    return command_failed(cleared.error());
  const auto pending = storage::pending_install(nullptr, a.dir);
  if (!pending)
    return command_failed(pending.error());
  if (*pending)
    return command_failed(kExitBadDataDirectory,
                          a.dir + " is in the middle of the install of a snapshot; start the node once");
  Source source{storage::data_folder(a.dir), {}, ""};
  const auto names = live_files_of(nullptr, source.folder);
  if (!names)
    return command_failed(names.error());
  source.names = *names;
  const auto made = copy(a, source);
  if (!made)
    return tl::unexpected(made.error());
  warn_of_tail(a.dir, made->manifest.meta);
  return tell(a, *made);
}

}  // namespace

CommandResult<int> run_backup(const BackupArguments& arguments) {
  std::error_code ignored;
  if (!fs::is_directory(arguments.dir, ignored))
    return command_failed(kExitBadDataDirectory, arguments.dir + " is not a directory");
  // Before the node is asked for anything.
  if (fs::exists(arguments.to, ignored) && !fs::is_empty(arguments.to, ignored))
    return command_failed(kExitBadDataDirectory, arguments.to + " is not an empty folder");
  return in_use(arguments.dir) ? backup_running(arguments) : backup_stopped(arguments);
}

}  // namespace kiwi
