#pragma once

// How long commands spend in each part of their way through a node: always on, a few clock reads for each
// group of commands. INFO shows it (section Stages); docs/performance.md says what each part is.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace kiwi {

enum class Stage : std::uint8_t {
  parse,      // bytes of a client -> commands handed to the core, by the read
  queue,      // handed to the core -> taken up by it, by the group of one client
  core,       // the first of a group taken up -> its write handed to the log store
  log_write,  // handed to the log store -> known to be durable here, by the write
  sync,       // the log store's write and fdatasync alone
  network,    // handed to the log store -> a majority has it; on the leader, by the write
  apply,      // handed to the state machine -> its replies are back, by the batch
  reply,      // replies handed to a connection -> offered to its socket, by the connection
};
inline constexpr std::size_t kStages = 8;
const char* to_string(Stage stage);

/// Microseconds, in buckets of at most an eighth of their value. Any thread may record at any time.
class LatencyHistogram {
 public:
  struct Figures {
    std::uint64_t count = 0;
    std::uint64_t p50 = 0, p99 = 0, p999 = 0, max = 0;  // percentiles: the upper end of their bucket
  };
  void record(std::uint64_t us);
  Figures figures() const;

 private:
  static constexpr std::size_t kBuckets = 8 * 30;  // up to about an hour
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> max_{0};
};

class StageTimes {
 public:
  /// `clock_us`: monotonic microseconds, the door for time.
  explicit StageTimes(std::function<std::uint64_t()> clock_us) : clock_us_(std::move(clock_us)) {}

  std::uint64_t now() const { return clock_us_(); }
  void record(Stage stage, std::uint64_t us) { histograms_[static_cast<std::size_t>(stage)].record(us); }
  void record_since(Stage stage, std::uint64_t since_us) {
    const auto at = now();
    record(stage, at > since_us ? at - since_us : 0);
  }
  LatencyHistogram::Figures figures(Stage stage) const {
    return histograms_[static_cast<std::size_t>(stage)].figures();
  }

 private:
  std::function<std::uint64_t()> clock_us_;
  std::array<LatencyHistogram, kStages> histograms_;
};

}  // namespace kiwi
