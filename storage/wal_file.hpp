#pragma once

// One write-ahead-log file in memory, taken apart into batches. See wal_scan.hpp for the layout. A MANIFEST
// has the same framing, with other records in it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kiwi::storage {

inline constexpr std::uint64_t kWalBlockBytes = 32768;
inline constexpr std::uint64_t kWalHeaderBytes = 7;

/// A whole, good record.
struct WalRecord {
  std::uint64_t end = 0;  // offset behind it
  std::string head;       // its first bytes, as many as hold a batch header and the state
};

/// A record that is a batch.
struct WalBatch {
  std::uint64_t sequence = 0;
  std::uint32_t count = 0;
  std::uint64_t end = 0;
  std::string head;
};

class WalFile {
 public:
  explicit WalFile(std::string_view bytes) : bytes_(bytes) {}

  /// The record that begins at `offset`, where one may begin (block fillers are skipped). Nothing: `why`
  /// says what is wrong, or is empty when the file ends there.
  std::optional<WalRecord> record_at(std::uint64_t offset, std::string& why) const;
  /// The same for a record that must be a batch.
  std::optional<WalBatch> batch_at(std::uint64_t offset, std::string& why) const;

  /// Looks at every offset from `from` on for the beginning of a good batch that `accept` takes. `accept`
  /// gets what is readable of it: the whole head, or less when only the first fragment is good.
  /// `sequence_above`: a cheap filter before any checksum.
  template <class Accept>
  std::optional<std::uint64_t> find_behind(std::uint64_t from, std::uint64_t sequence_above,
                                           Accept accept) const {
    for (std::uint64_t at = from; at + kWalHeaderBytes <= bytes_.size(); ++at) {
      if (!may_begin_batch(at, sequence_above)) {
        continue;
      }
      const auto head = readable_head(at);
      if (head && accept(*head)) {
        return at;
      }
    }
    return std::nullopt;
  }

  /// A good first fragment of any record, at any offset from `from` on.
  bool any_record_behind(std::uint64_t from) const;

  std::uint64_t size() const { return bytes_.size(); }
  /// Behind the last byte that is not zero, but not below `from`.
  std::uint64_t end_of_nonzero(std::uint64_t from) const;

 private:
  struct Fragment {
    std::uint8_t type = 0;
    std::string_view payload;
    std::uint64_t end = 0;
  };
  std::optional<Fragment> fragment_at(std::uint64_t offset, std::string& why) const;
  bool may_begin_batch(std::uint64_t offset, std::uint64_t sequence_above) const;
  std::optional<std::string> readable_head(std::uint64_t offset) const;

  std::string_view bytes_;
};

/// Where the next fragment begins: skips the filler of a block whose rest cannot hold a header.
std::uint64_t skip_block_filler(std::uint64_t offset);

}  // namespace kiwi::storage
