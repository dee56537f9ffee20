// Under a simulated environment nothing happens by itself: jobs wait until they are run, in one thread.

#include <deque>

#include "rocksdb/env.h"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

/// Files in memory; background jobs in a queue.
class QueuedEnv : public rocksdb::EnvWrapper {
 public:
  explicit QueuedEnv(rocksdb::Env* files) : EnvWrapper(files) {}
  const char* Name() const override { return "QueuedEnv"; }

  void Schedule(void (*work)(void*), void* arg, Priority, void*, void (*)(void*)) override {
    jobs_.push_back({work, arg});
  }
  int UnSchedule(void*, Priority) override { return 0; }
  void StartThread(void (*)(void*), void*) override { ++threads; }
  void SetBackgroundThreads(int, Priority) override {}
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}

  void run_jobs() {
    while (!jobs_.empty()) {
      const auto job = jobs_.front();
      jobs_.pop_front();
      job.work(job.arg);
    }
  }
  std::size_t waiting() const { return jobs_.size(); }
  int threads = 0;

 private:
  struct Job {
    void (*work)(void*);
    void* arg;
  };
  std::deque<Job> jobs_;
};

struct Simulated : ::testing::Test {
  std::unique_ptr<RedisMachine> open(bool run_at_once) {
    RedisMachineOptions options;
    options.dir = "/data";
    options.env = &env;
    options.simulated = true;
    if (run_at_once)
      options.run_queued_jobs = [this] { env.run_jobs(); };
    auto opened = RedisMachine::open(options, three_nodes());
    EXPECT_TRUE(opened.has_value()) << to_string(opened.error());
    return std::move(*opened);
  }
  Entry set(std::uint64_t index) {
    return {{Term(1), Index(index)},
            EntryKind::command,
            1000,
            encode_request({command_of({"SET", "k" + std::to_string(index), "v"})})};
  }

  std::unique_ptr<rocksdb::Env> files{rocksdb::NewMemEnv(rocksdb::Env::Default())};
  QueuedEnv env{files.get()};
};

TEST_F(Simulated, FlushesRunWhenTheSimulationRunsThem) {
  auto machine = open(true);
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(machine->apply({set(i)}).has_value());
  EXPECT_EQ(machine->flush().value(), Index(3));
  ASSERT_TRUE(machine->apply({set(4)}).has_value());
  machine.reset();
  machine = open(true);
  EXPECT_EQ(machine->applied_state().applied.index, Index(3));
  EXPECT_EQ(env.threads, 0);
}

TEST_F(Simulated, AFlushThatIsOnlyAskedForIsNotDurable) {
  auto machine = open(false);
  env.run_jobs();  // the making of the directory asked for a flush
  ASSERT_TRUE(machine->apply({set(1)}).has_value());
  EXPECT_EQ(machine->flush().value(), Index(0));
  EXPECT_GT(env.waiting(), 0u);
  env.run_jobs();
  EXPECT_EQ(machine->stats().durable_applied, Index(1));
  EXPECT_EQ(machine->flush().value(), Index(1));
  env.run_jobs();
}

}  // namespace
}  // namespace kiwi::test
