#pragma once

// RocksDB without threads, clock or disk of its own, for one thread that decides everything.
//
//   SimClock    virtual time; moves only when it is told to
//   SimEnv      background jobs wait in a queue until run_jobs()
//   SimMachine  a disk, a file system, a clock and an Env that belong together, and the power switch
//
// Never call anything that waits for a background job from that thread: nobody would run it. The database
// must have a silent info log (a real thread of RocksDB flushes it) and max_file_opening_threads = 1;
// LogStoreOptions::simulated sees to both.

#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "storage/testing/sim_fs.hpp"

namespace kiwi::sim {

class SimClock : public rocksdb::SystemClockWrapper {
 public:
  SimClock() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
  const char* Name() const override { return "KiwiSimClock"; }
  std::uint64_t NowMicros() override { return now_us_; }
  std::uint64_t NowNanos() override { return now_us_ * 1000; }
  std::uint64_t CPUMicros() override { return 0; }
  std::uint64_t CPUNanos() override { return 0; }
  void SleepForMicroseconds(int us) override { now_us_ += static_cast<std::uint64_t>(us); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override {
    *seconds = static_cast<std::int64_t>(now_us_ / 1'000'000);
    return rocksdb::Status::OK();
  }
  void advance(std::uint64_t us) { now_us_ += us; }

 private:
  std::uint64_t now_us_ = 1'000'000;
};

class SimEnv : public rocksdb::EnvWrapper {
 public:
  SimEnv(std::shared_ptr<SimFs> fs, std::shared_ptr<SimClock> clock);
  const char* Name() const override { return "KiwiSimEnv"; }

  /// Runs flushes and compactions, and what they schedule, to their end. Returns how many. A job that slept
  /// waits for better times: RocksDB tries a compaction that found no space again each second, for ever. What
  /// came behind it runs the next time.
  int run_jobs();

  void Schedule(void (*work)(void*), void* argument, Priority, void* tag, void (*unschedule)(void*)) override;
  int UnSchedule(void* tag, Priority) override;
  void StartThread(void (*work)(void*), void* argument) override;
  // Without these three the default Env starts its pool threads.
  void SetBackgroundThreads(int, Priority) override {}
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
  int GetBackgroundThreads(Priority) override { return 2; }
  unsigned int GetThreadPoolQueueLen(Priority) const override { return static_cast<unsigned>(jobs_.size()); }
  std::string GenerateUniqueId() override { return "00000000-0000-0000-0000-000000000001"; }
  std::uint64_t NowMicros() override { return system_clock_->NowMicros(); }
  std::uint64_t NowNanos() override { return system_clock_->NowNanos(); }
  void SleepForMicroseconds(int us) override { system_clock_->SleepForMicroseconds(us); }
  rocksdb::Status GetCurrentTime(std::int64_t* seconds) override {
    return system_clock_->GetCurrentTime(seconds);
  }

 private:
  struct Job {
    void (*work)(void*);
    void* argument;
    void* tag;
    void (*unschedule)(void*);
  };
  std::deque<Job> jobs_;
};

/// One machine from power-on to power-off. Destroy what uses the Env before it, after power_off() if nothing
/// more may reach the disk.
class SimMachine {
 public:
  explicit SimMachine(SimDisk image = {}) : disk(std::move(image)) {}
  SimMachine(const SimMachine&) = delete;
  SimMachine& operator=(const SimMachine&) = delete;

  /// Nothing reaches the disk any more. Queued jobs run into errors and end, so that databases can be
  /// destroyed.
  void power_off() {
    fs->before_change({});
    fs->freeze();
    env.run_jobs();
  }

  SimDisk disk;
  std::shared_ptr<SimFs> fs = std::make_shared<SimFs>(disk);
  std::shared_ptr<SimClock> clock = std::make_shared<SimClock>();
  SimEnv env{fs, clock};
};

}  // namespace kiwi::sim
