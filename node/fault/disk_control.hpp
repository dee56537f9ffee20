#pragma once

// Words of the control socket that concern the disk, as faults of storage/testing.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "storage/testing/fault_fs.hpp"

namespace kiwi::fault {

/// "key=value" words by key; the others in order.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> options;
};
Words split_words(const std::string& line);

class DiskControl {
 public:
  /// `buffers`: un-synced bytes stay in this process, so that power_fail() can take them.
  explicit DiskControl(bool buffers);

  sim::FaultFileSystem& fs() { return *fs_; }
  std::shared_ptr<sim::FaultFileSystem> shared() { return fs_; }
  bool buffers() const { return buffers_; }

  /// fail CALL ERROR [file=F] [nth=N] [count=N] | slow CALL min=US max=US [file=F] | hang CALL [file=F] |
  /// full | readonly | lose-writes FILE [count=N] | free. The answer: "changed" or "same"; the error says
  /// what was not understood.
  tl::expected<std::string, std::string> command(const Words& words);
  /// What survives of un-synced bytes goes to the disk, nothing passes from now on. The answer says what
  /// survived. profile: ordered, hostile, exact.
  tl::expected<std::string, std::string> power_fail(const std::string& profile, bool torn,
                                                    std::uint64_t seed);

 private:
  /// Slow calls take a time of [fault's delay, delay + spread_us_].
  std::shared_ptr<std::atomic<std::uint64_t>> spread_us_;
  bool buffers_;
  bool armed_ = false;
  std::shared_ptr<sim::FaultFileSystem> fs_;
};

}  // namespace kiwi::fault
