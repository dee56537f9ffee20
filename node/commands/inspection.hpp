#pragma once

// Everything that can be known about the directory of a node that is stopped, without changing it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node/commands/command_error.hpp"
#include "statemachine/verify_data.hpp"
#include "statemachine/verify_snapshots.hpp"
#include "storage/verify_log.hpp"

namespace kiwi {

/// A data database that a start set aside, or what an install left.
struct AsideFolder {
  std::string path;
  std::string cause;  // what its KIWI-DAMAGED says; empty: nothing
  std::uint64_t bytes = 0;
};

struct Inspection {
  std::string dir;
  storage::LogReport log;
  std::string data_folder;  // what the next start will have as data
  DataReport data;
  SnapshotsReport snapshots;
  std::vector<AsideFolder> aside;
  std::uint64_t bytes = 0;     // of the whole directory
  storage::Findings findings;  // all of them
  /// As of the newest entry, committed or not (Raft 6), and which entry brought it.
  Membership membership;
  LogId membership_id;

  bool damaged() const { return storage::has_damage(findings); }
  bool torn() const;
  /// 0, kExitDamaged or kExitTornWrite.
  int exit_code() const;
};

/// Requires that nobody else has the directory. Tells progress on standard error.
Inspection inspect_directory(const std::string& dir);

std::string inspection_text(const Inspection& inspection);
std::string inspection_json(const Inspection& inspection);
/// "1=HOST:PORT@PORT,2=..."; "none" when there is nobody.
std::string membership_text(const Membership& membership);

}  // namespace kiwi
