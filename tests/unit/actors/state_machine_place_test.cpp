// Where the state machine runs in a process: with real threads.

#include <gmock/gmock.h>

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "actors/state_machine_actor.hpp"

namespace kiwi::test {
namespace {

using namespace std::chrono_literals;

struct Seen {
  std::mutex mutex;
  std::vector<std::string> calls;  // in order
  std::set<std::thread::id> threads;
};

/// "long" is what takes long.
class WatchedMachine : public StateMachine {
 public:
  explicit WatchedMachine(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
  AppliedState applied_state() const override { return {applied_, 1, {}, {}}; }
  Result<ApplyResult> apply(const std::vector<Entry>& entries) override {
    note("apply " + to_string(entries.front().id.index));
    applied_ = entries.back().id;
    ApplyResult result;
    result.replies.resize(entries.size());
    return result;
  }
  Result<StateAnswer> query(const StateQuery& query) override {
    note("query " + std::to_string(query.token));
    return StateAnswer{query.token, 0, {}};
  }
  Result<Index> flush() override { return applied_.index; }
  std::function<bool(const Bytes&)> may_take_long() const override {
    return [](const Bytes& payload) { return payload.view() == "long"; };
  }

 private:
  void note(std::string call) {
    const std::lock_guard lock(seen_->mutex);
    seen_->calls.push_back(std::move(call));
    seen_->threads.insert(std::this_thread::get_id());
  }
  std::shared_ptr<Seen> seen_;
  LogId applied_;
};

struct Config : caf::actor_system_config {
  Config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);
  }
};

class StateMachinePlace : public testing::Test {
 protected:
  ~StateMachinePlace() override {
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
    self_->wait_for(actor_);
  }
  ApplyBatch batch(std::size_t entries, const char* payload = "x") {
    ApplyBatch batch;
    batch.stamp = {1, ++sequence_};
    for (std::size_t i = 0; i < entries; ++i)
      batch.entries.push_back({{Term(1), Index(++index_)}, EntryKind::command, 1, Bytes::copy_of(payload)});
    return batch;
  }
  StateQueryBatch queries(std::size_t n, const char* payload = "x") {
    StateQueryBatch batch;
    batch.stamp = {1, ++sequence_};
    for (std::size_t i = 0; i < n; ++i) batch.queries.push_back({++token_, 0, Bytes::copy_of(payload)});
    return batch;
  }
  template <class Answer, class Call>
  void ask(Call call) {
    self_->request(actor_, 60s, std::move(call))
        .receive([](const Answer&) {}, [](const caf::error& e) { FAIL() << caf::to_string(e); });
  }
  std::set<std::thread::id> threads() {
    const std::lock_guard lock(seen_->mutex);
    return std::exchange(seen_->threads, {});
  }

  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  Config config_;
  caf::actor_system system_{config_};
  caf::scoped_actor self_{system_};
  StateMachineActor actor_ = spawn_state_machine(system_, SpawnMode::own_thread, CorePlace::io_thread,
                                                 std::make_unique<WatchedMachine>(seen_), 1);
  std::uint64_t sequence_ = 0, index_ = 0, token_ = 0;
};

TEST_F(StateMachinePlace, SmallBatchesRunOnTheIoThreadAndOthersDoNot) {
  ask<Applied>(batch(1));
  const auto io = threads();
  ASSERT_EQ(io.size(), 1u);
  ask<StateAnswers>(queries(3));
  ask<Applied>(batch(2));
  EXPECT_EQ(threads(), io);
  ask<Applied>(batch(1, "long"));
  const auto worker = threads();
  EXPECT_NE(worker, io);
  ask<StateAnswers>(queries(1, "long"));
  ask<Applied>(batch(1000));
  ask<StateAnswers>(queries(1000));
  EXPECT_EQ(threads(), worker);
  ask<Applied>(batch(1));
  EXPECT_EQ(threads(), io) << "and back";
}

TEST_F(StateMachinePlace, TheOrderStaysWhereverEachRuns) {
  std::vector<std::string> sent;
  const int kRounds = 300;
  for (int i = 0; i < kRounds; ++i) {
    const bool large = i % 7 == 3;
    sent.push_back("apply " + std::to_string(index_ + 1));
    self_->send(actor_, batch(large ? 20 : 1, i % 5 == 0 ? "long" : "x"));
    sent.push_back("query " + std::to_string(token_ + 1));
    self_->send(actor_, queries(1, i % 3 == 0 ? "long" : "x"));
  }
  ask<Applied>(batch(1));
  sent.push_back("apply " + std::to_string(index_));
  const std::lock_guard lock(seen_->mutex);
  EXPECT_EQ(seen_->calls, sent);
}

}  // namespace
}  // namespace kiwi::test
