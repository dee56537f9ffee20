#include "storage/testing/sim_env.hpp"

#include <algorithm>
#include <cstddef>

namespace kiwi::sim {

// The file calls of an EnvWrapper go to the Env it wraps, not to file_system_: a few small files (IDENTITY)
// are written that way. Hence the composite.
SimEnv::SimEnv(std::shared_ptr<SimFs> fs, std::shared_ptr<SimClock> clock)
    : EnvWrapper(rocksdb::NewCompositeEnv(fs)) {
  file_system_ = std::move(fs);
  system_clock_ = std::move(clock);
}

int SimEnv::run_jobs() {
  int ran = 0;
  for (auto left = ~std::size_t{0}; !jobs_.empty() && left > 0; ++ran, --left) {
    const auto job = jobs_.front();
    jobs_.pop_front();
    const auto others = jobs_.size();
    const auto began = NowMicros();
    job.work(job.argument);
    if (NowMicros() != began) {
      left = std::min(left, others + 1);  // this one is counted, too
    }
  }
  return ran;
}

void SimEnv::Schedule(void (*work)(void*), void* argument, Priority, void* tag, void (*unschedule)(void*)) {
  jobs_.push_back({work, argument, tag, unschedule});
}

int SimEnv::UnSchedule(void* tag, Priority) {
  int removed = 0;
  for (auto i = jobs_.begin(); i != jobs_.end();) {
    if (i->tag != tag) {
      ++i;
      continue;
    }
    const auto job = *i;
    i = jobs_.erase(i);
    if (job.unschedule != nullptr) {
      job.unschedule(job.argument);
    }
    ++removed;
  }
  return removed;
}

void SimEnv::StartThread(void (*work)(void*), void* argument) {
  jobs_.push_back({work, argument, nullptr, nullptr});
}

}  // namespace kiwi::sim
