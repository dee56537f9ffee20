#include "storage/wal_scan.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "messages/fault_points.hpp"
#include "storage/wal_diagnosis.hpp"
#include "storage/wal_file.hpp"

namespace kiwi::storage {
namespace {

constexpr std::string_view kSuffix = ".log";
constexpr std::size_t kBatchHeaderBytes = 12;
/// How the first operation of a batch of ours begins: "put", key length 1, 's', value length.
constexpr char kStatePut[] = {1, 1, 's', static_cast<char>(kStateBytes)};
static_assert(kStateBytes < 128, "the length takes one byte");

struct NumberedFile {
  std::uint64_t number = 0;
  std::string name;
};

std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) {
    return std::nullopt;
  }
  return number;
}

/// The state in a batch's first bytes; nothing when they are not a batch of ours.
std::optional<LogState> state_in(std::string_view head) {
  if (head.size() < kBatchHeaderBytes + sizeof(kStatePut) + kStateBytes) {
    return std::nullopt;
  }
  head.remove_prefix(kBatchHeaderBytes);
  if (!head.starts_with(std::string_view(kStatePut, sizeof(kStatePut)))) {
    return std::nullopt;
  }
  auto state = decode_state(head.substr(sizeof(kStatePut), kStateBytes));
  return state ? std::optional(*state) : std::nullopt;
}

/// Goes through the files in order and remembers what the next batch must look like.
class Scanner {
 public:
  Scanner(const LogMarker& marker, WalScan& scan)
      : instance_(marker.instance), format_(marker.format), scan_(scan) {}

  /// False: damage was found.
  bool take(const std::string& name, std::string_view bytes) {
    const WalFile file(bytes);
    ++scan_.files;
    scan_.bytes += bytes.size();
    std::uint64_t at = 0;
    std::string why;
    for (;;) {
      const auto batch = file.batch_at(at, why);
      if (!batch) {
        break;
      }
      if (!take(name, at, *batch) || !take_families(name, at, bytes)) {
        return false;
      }
      at = batch->end;
    }
    const auto end = file.end_of_nonzero(at);
    if (why.empty() || end == at) {
      return true;  // the file, or what was written of it, ends here (zeroed_ahead.hpp)
    }
    const auto behind = file.find_behind(at + 1, scan_.next_sequence,
                                         [this](std::string_view head) { return proves_damage(head); });
    if (behind && !KIWI_MUTANT(log_cut_at_bad_checksum)) {
      scan_.damage = WalDamage{
          name, at, why + ", and a good record lies behind it at offset " + std::to_string(*behind)};
      return false;
    }
    scan_.torn_bytes += end - at;
    scan_.torn = WalDamage{name, at, why};
    return true;
  }

 private:
  bool take(const std::string& name, std::uint64_t offset, const WalBatch& batch) {
    if (scan_.next_sequence != 0 && batch.sequence != scan_.next_sequence) {
      // A torn batch at the end of an older file is no damage as long as the next file continues in its
      // place: that is what a crash in the middle of a recovery leaves.
      scan_.damage = scan_.torn.value_or(WalDamage{name, offset, {}});
      auto& why = scan_.damage->why;
      why += why.empty() ? "" : "; ";
      why += "sequence " + std::to_string(scan_.next_sequence) + " is missing, " + name + " continues with " +
             std::to_string(batch.sequence);
      return false;
    }
    const auto state = state_in(batch.head);
    if (!state && batch.count != 0) {
      scan_.damage = WalDamage{name, offset, "a record that is not of this log"};
      return false;
    }
    if (state) {
      if (state->instance != instance_) {
        scan_.damage =
            WalDamage{name, offset, "a record of another log, instance " + to_string(state->instance)};
        return false;
      }
      scan_.last_state = state;
    }
    scan_.next_sequence = batch.sequence + batch.count;
    ++scan_.batches;
    return true;
  }

  bool take_families(const std::string& name, std::uint64_t offset, std::string_view file) {
    if (auto why = foreign_family_in_batch(file, offset, format_); !why.empty()) {
      scan_.damage = WalDamage{name, offset, std::move(why)};
      return false;
    }
    return true;
  }

  bool proves_damage(std::string_view head) const {
    if (const auto state = state_in(head)) {
      return state->instance == instance_ && (!scan_.last_state || state->serial > scan_.last_state->serial);
    }
    // The beginning of a batch whose rest is bad too: two bad batches, of which only one can be torn. Believe
    // as much of it as there is.
    const auto operation = head.substr(std::min(head.size(), kBatchHeaderBytes));
    const auto known = std::min(operation.size(), sizeof(kStatePut));
    const bool whole = operation.size() >= sizeof(kStatePut) + kStateBytes;
    return !whole && known == sizeof(kStatePut) && operation.starts_with(std::string_view(kStatePut, known));
  }

  InstanceId instance_;
  std::uint32_t format_;
  WalScan& scan_;
};

}  // namespace

rocksdb::Status scan_wals(rocksdb::Env& env, const std::string& dir, std::uint64_t oldest,
                          const LogMarker& marker, WalScan& scan) {
  std::vector<std::string> names;
  if (auto status = env.GetChildren(dir, &names); !status.ok()) {
    return status;
  }
  std::vector<NumberedFile> files;
  for (auto& name : names) {
    const auto number = number_of(name);
    if (number && *number >= oldest) {
      files.push_back({*number, std::move(name)});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const NumberedFile& a, const NumberedFile& b) { return a.number < b.number; });
  Scanner scanner(marker, scan);
  for (const auto& file : files) {
    std::string bytes;
    if (auto status = rocksdb::ReadFileToString(&env, dir + "/" + file.name, &bytes); !status.ok()) {
      return status;
    }
    if (!scanner.take(file.name, bytes)) {
      break;
    }
  }
  return rocksdb::Status::OK();
}

std::uint64_t wal_bytes_of_batch(std::uint64_t offset, std::uint64_t batch_bytes) {
  auto at = offset;
  auto left = batch_bytes;
  do {
    at = skip_block_filler(at) + kWalHeaderBytes;
    const auto room = kWalBlockBytes - at % kWalBlockBytes;
    // A header that just fits leaves an empty fragment: `at` is then at the start of the next block.
    const auto piece = at % kWalBlockBytes == 0 ? 0 : std::min(left, room);
    at += piece;
    left -= piece;
  } while (left > 0);
  return at - offset;
}

}  // namespace kiwi::storage
