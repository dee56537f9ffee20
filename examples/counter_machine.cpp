// A state machine of the application's own: named counters, replicated by Kiwi.
//
//   counter_machine [DIR]     exit code 0: everything was as expected
//
// What it keeps at rest: nothing. The counters are in memory; the Raft log, which is synced, is their only
// durable form. So applied_state() says 0/0 after opening, and Kiwi applies the whole log again. That is
// honest as long as two things hold: flush() claims nothing durable, so that the log is never cut above what
// could be lost, and replaying gives the same state, which determinism (see kiwi/state_machine.hpp) promises.
// Opening takes as long as replaying does. A machine with much state writes it to files instead, together
// with applied_state(), and answers in flush() what has reached the disk; statemachine/redis_machine.hpp
// does.

#include <charconv>
#include <iostream>
#include <kiwi/kiwi.hpp>
#include <map>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

/// Payload of a Propose: "NAME+NUMBER". Its reply is the counter's new value. Payload of a Query: "NAME".
class CounterMachine final : public kiwi::StateMachine {
 public:
  kiwi::AppliedState applied_state() const override { return applied_; }

  kiwi::Result<kiwi::ApplyResult> apply(const std::vector<kiwi::Entry>& entries) override {
    kiwi::ApplyResult result;
    for (const auto& entry : entries) {
      // Entries of Raft's own count as applied, too. Their reply is nil.
      result.replies.push_back(entry.kind == kiwi::EntryKind::command ? add(entry.payload.view())
                                                                      : kiwi::Reply::nil());
      applied_.applied = entry.id;
      applied_.stamp_ms = std::max(applied_.stamp_ms, entry.stamp_ms);
      if (entry.kind != kiwi::EntryKind::membership)
        continue;
      auto membership = kiwi::decode_membership(entry.payload.view());
      if (!membership)
        return tl::unexpected(damaged(entry, membership.error().what));
      applied_.membership = std::move(*membership);
      applied_.membership_id = entry.id;
    }
    return result;
  }

  kiwi::Result<kiwi::StateAnswer> query(const kiwi::StateQuery& query) override {
    kiwi::StateAnswer answer;
    answer.token = query.token;
    auto counter = counters_.find(query.payload.view());
    answer.reply = kiwi::Reply::of(counter == counters_.end() ? 0 : counter->second);
    return answer;
  }

  /// Nothing of it would survive a crash by itself.
  kiwi::Result<kiwi::Index> flush() override { return kiwi::Index(0); }

 private:
  /// The same on every replica, whatever the payload: an error is a reply, not a failure.
  kiwi::Reply add(std::string_view payload) {
    const auto plus = payload.rfind('+');
    std::int64_t number = 0;
    if (plus == std::string_view::npos || plus == 0)
      return kiwi::Reply::error("ERR want NAME+NUMBER");
    const auto digits = payload.substr(plus + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size())
      return kiwi::Reply::error("ERR want NAME+NUMBER");
    auto& counter = counters_[std::string(payload.substr(0, plus))];
    if (__builtin_add_overflow(counter, number, &number))
      return kiwi::Reply::error("ERR the counter would overflow");
    return kiwi::Reply::of(counter = number);
  }

  static kiwi::StorageError damaged(const kiwi::Entry& entry, const std::string& what) {
    return {kiwi::StorageSubject::state_machine, kiwi::StorageVerb::read, kiwi::StorageKind::corruption,
            "log entry " + to_string(entry.id) + ": " + what, kiwi::StorageOutcome::not_written};
  }

  std::map<std::string, std::int64_t, std::less<>> counters_;
  kiwi::AppliedState applied_;
};

struct Config : caf::actor_system_config {
  Config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);
    set("logger.inline-output", true);
    kiwi::register_errors(*this);
  }
};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

void expect(bool holds, const std::string& what) {
  if (!holds)
    fail("not as expected: " + what);
}

template <class Message>
kiwi::Reply ask(caf::scoped_actor& self, const kiwi::EmbeddedReplica& replica, Message message) {
  kiwi::Reply reply;
  self->request(replica.actor(), caf::infinite, std::move(message))
      .receive([&](kiwi::ClientResponse& response) { reply = std::move(response.reply); },
               [&](caf::error& error) { fail(self->system().render(error)); });
  return reply;
}

kiwi::Reply propose(caf::scoped_actor& self, const kiwi::EmbeddedReplica& replica, std::string payload) {
  return ask(self, replica, kiwi::Propose{kiwi::Bytes(std::move(payload))});
}

std::int64_t read(caf::scoped_actor& self, const kiwi::EmbeddedReplica& replica, std::string name) {
  return ask(self, replica, kiwi::Query{kiwi::Bytes(std::move(name))}).integer;
}

kiwi::EmbeddedReplica open(caf::actor_system& system, const std::string& dir) {
  kiwi::EmbeddedOptions options;
  options.dir = dir;
  options.make_machine = [](const std::string&,
                            const kiwi::Membership&) -> kiwi::Result<std::unique_ptr<kiwi::StateMachine>> {
    return std::make_unique<CounterMachine>();
  };
  auto replica = kiwi::EmbeddedReplica::open(system, options);
  if (!replica)
    fail(system.render(replica.error()));
  if (!replica->wait_until_ready(30s))
    fail("no leader after 30 s");
  return std::move(*replica);
}

void stop(kiwi::EmbeddedReplica& replica, caf::actor_system& system) {
  if (auto reason = replica.stop())
    fail(system.render(reason));
}

void run(caf::actor_system& system, const std::string& dir) {
  caf::scoped_actor self{system};
  {
    auto replica = open(system, dir);
    expect(read(self, replica, "apples") == 0, "a counter begins at 0");
    for (int i = 1; i <= 1000; ++i)
      expect(propose(self, replica, "apples+2").integer == 2 * i, "each reply is the new value");
    expect(propose(self, replica, "pears+-5").integer == -5, "counters go down as well");
    expect(propose(self, replica, "nonsense").is_error(), "nonsense is an error reply, and nothing else");
    expect(read(self, replica, "apples") == 2000, "reads see what was answered");
    stop(replica, system);
  }
  auto replica = open(system, dir);
  expect(read(self, replica, "apples") == 2000, "the log brings the counters back");
  expect(read(self, replica, "pears") == -5, "all of them");
  expect(propose(self, replica, "apples+1").integer == 2001, "and they go on");
  stop(replica, system);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = argc > 1 ? argv[1] : "counter_machine.data";
  try {
    Config config;
    caf::actor_system system(config);
    run(system, dir);
  } catch (const std::exception& e) {
    std::cerr << "counter_machine: " << e.what() << '\n';
    return 1;
  }
  std::cout << "counter_machine: everything is as expected\n";
  return 0;
}
