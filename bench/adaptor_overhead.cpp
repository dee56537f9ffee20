// What the adaptor costs: an actor in the raft actor's place calls a log store actor, directly and through
// the adaptor, in turns within one run. Two stores: one that answers at once, which shows the bare cost of
// the hop, and the real one, which syncs each write. Scheduler and threads are those of kiwi-node.
//
// Prints a markdown table. `--check` makes the exit code say whether the targets are met.

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <caf/all.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "actors/adaptor.hpp"
#include "actors/io_thread.hpp"
#include "actors/log_store_actor.hpp"
#include "actors/storage_errors.hpp"

namespace kiwi {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kEpoch = 1;
constexpr double kMaxAddedUs = 20;
constexpr double kMinRatio = 0.95;

/// Calls made one after the other (window 1) or with `window` of them unanswered.
struct Block {
  std::vector<double> latency_us;
  double seconds = 0;
};
using BlockPtr = std::shared_ptr<const Block>;

}  // namespace
}  // namespace kiwi

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kiwi::BlockPtr)

namespace kiwi {
namespace {

using Driver = caf::typed_actor<
    // through the adaptor?, calls, window, entries of each call
    caf::replies_to<bool, std::uint32_t, std::uint32_t, std::uint32_t>::with<BlockPtr>>;

struct DriverState {
  using Self = Driver::stateful_pointer<DriverState>;
  static constexpr const char* name = "driver";

  explicit DriverState(Self actor) : self(actor), payload(std::string(100, 'x')) {}

  caf::result<BlockPtr> run(bool through_adaptor, std::uint32_t calls, std::uint32_t window,
                            std::uint32_t entries) {
    per_call = entries;
    block = std::make_shared<Block>();
    block->latency_us.reserve(calls);
    promise = self->make_response_promise<BlockPtr>();
    through = through_adaptor;
    to_send = calls;
    unanswered = 0;
    began = Clock::now();
    while (to_send > 0 && unanswered < window) call();
    return promise;
  }

  void call() {
    --to_send;
    ++unanswered;
    LogWrite write;
    write.stamp.epoch = kEpoch;  // the adaptor would set its own
    write.write = ++number;
    for (std::uint32_t i = 0; i < per_call; ++i) {
      ++last.value;
      write.entries.push_back(Entry{{Term(1), last}, EntryKind::command, last.value, payload});
    }
    if (through)
      send(adaptor, std::move(write));
    else
      send(store, std::move(write));
  }

  template <class Target>
  void send(const Target& target, LogWrite write) {
    self->request(target, caf::infinite, std::move(write))
        .then([this, sent = Clock::now()](const LogWritten&) { answered(sent); },
              [this](caf::error& error) { promise.deliver(std::move(error)); });
  }

  void answered(Clock::time_point sent) {
    const auto now = Clock::now();
    block->latency_us.push_back(std::chrono::duration<double, std::micro>(now - sent).count());
    --unanswered;
    if (to_send > 0) {
      call();
    } else if (unanswered == 0) {
      block->seconds = std::chrono::duration<double>(now - began).count();
      promise.deliver(BlockPtr(std::move(block)));
    }
  }

  Self self;
  LogStoreActor store;
  StorageActor adaptor;
  Bytes payload;
  std::uint64_t number = 0;  // of the last write
  Index last;                // of its last entry
  std::uint32_t per_call = 1;
  bool through = false;
  std::uint32_t to_send = 0;
  std::uint32_t unanswered = 0;
  Clock::time_point began;
  std::shared_ptr<Block> block;
  caf::typed_response_promise<BlockPtr> promise;
};

Driver::behavior_type driver(DriverState::Self self, const LogStoreActor& store,
                             const StorageActor& adaptor) {
  auto* state = &self->state;
  state->store = store;
  state->adaptor = adaptor;
  return {[state](bool through, std::uint32_t calls, std::uint32_t window, std::uint32_t entries) {
    return state->run(through, calls, window, entries);
  }};
}

LogStoreActor::behavior_type no_op_store() {
  return {
      [](const LogWrite& m) {
        return LogWritten{m.stamp, m.write, m.entries.back().id};
      },
      [](const LogWriteGroup& m) {
        LogWrittenGroup group;
        for (const auto& x : m.writes) group.written.push_back({x.stamp, x.write, x.entries.back().id});
        return group;
      },
      [](const LogRead&) -> caf::result<LogEntries> { return caf::sec::unexpected_message; },
      [](const LogStatsRequest&) { return LogStoreFigures{}; },
      [](const DiskSpaceRequest&) { return DiskSpace{}; },
      [](const AdoptCluster& m) { return m.cluster; },
  };
}

StateMachineActor::behavior_type no_op_machine() {
  return {
      [](const ApplyBatch&) -> caf::result<Applied> { return caf::sec::unexpected_message; },
      [](const StateQueryBatch&) -> caf::result<StateAnswers> { return caf::sec::unexpected_message; },
      [](const DigestRequest&) { return DigestAnswer{}; },
      [](const FlushState&) -> caf::result<StateFlushing> { return caf::sec::unexpected_message; },
      [](const InstallSnapshot&) -> caf::result<SnapshotInstalled> { return caf::sec::unexpected_message; },
      [](const FinishInstall&) -> caf::result<Index> { return caf::sec::unexpected_message; },
      [](const StatsRequest&) { return StateStats{}; },
  };
}

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One figure per round.
struct Figures {
  std::vector<double> direct_us, through_us, added_us;
  std::vector<double> direct_rate, through_rate, ratio;
  std::vector<double> direct_group, through_group;  // calls made durable by one sync
};

struct Case {
  const char* name;
  std::uint32_t single_calls;
  std::uint32_t window_calls;
  std::uint32_t window;
  std::uint32_t entries;  // of each call
};

class Measurement {
 public:
  Measurement(caf::actor_system& system, const LogStoreActor& store)
      : self_(system),
        store_(store),
        machine_(system.spawn(no_op_machine)),
        adaptor_(spawn_adaptor(system, store_, machine_, kEpoch, CorePlace::io_thread)),
        driver_(spawn_at(system, CorePlace::io_thread, driver, store_, adaptor_)) {}
  ~Measurement() {
    self_->send_exit(driver_, caf::exit_reason::user_shutdown);
    self_->send_exit(adaptor_, caf::exit_reason::user_shutdown);
    self_->send_exit(machine_, caf::exit_reason::user_shutdown);
    self_->send_exit(store_, caf::exit_reason::user_shutdown);
    self_->wait_for(driver_, adaptor_, machine_, store_);
  }
  Measurement(const Measurement&) = delete;
  Measurement& operator=(const Measurement&) = delete;

  Figures run(const Case& what, double seconds) {
    Figures f;
    for (bool warm_up : {true, false}) {  // of the warm-up nothing is kept
      const auto end = Clock::now() + std::chrono::duration<double>(warm_up ? seconds / 10 : seconds);
      f = {};
      for (bool adaptor_first = false; f.ratio.size() < 3 || Clock::now() < end;
           adaptor_first = !adaptor_first)
        round(what, adaptor_first, f);
    }
    return f;
  }

 private:
  void round(const Case& what, bool adaptor_first, Figures& f) {
    double us[2], rate[2], group[2];
    for (bool through : {adaptor_first, !adaptor_first})
      us[through] = median(block(what, through, what.single_calls, 1).latency_us);
    for (bool through : {adaptor_first, !adaptor_first}) {
      const auto before = syncs();
      rate[through] = what.window_calls / block(what, through, what.window_calls, what.window).seconds;
      group[through] = what.window_calls / std::max(1.0, syncs() - before);
    }
    f.direct_us.push_back(us[0]);
    f.through_us.push_back(us[1]);
    f.added_us.push_back(us[1] - us[0]);
    f.direct_rate.push_back(rate[0]);
    f.through_rate.push_back(rate[1]);
    f.ratio.push_back(rate[1] / rate[0]);
    f.direct_group.push_back(group[0]);
    f.through_group.push_back(group[1]);
  }

  Block block(const Case& what, bool through, std::uint32_t calls, std::uint32_t window) {
    BlockPtr result;
    self_->request(driver_, caf::infinite, through, calls, window, what.entries)
        .receive([&](const BlockPtr& b) { result = b; },
                 [&](const caf::error& e) { throw std::runtime_error(self_->system().render(e)); });
    return *result;
  }

  double syncs() {
    double count = 0;
    self_->request(store_, caf::infinite, LogStatsRequest{})
        .receive([&](const LogStoreFigures& m) { count = static_cast<double>(m.syncs); },
                 [&](const caf::error& e) { throw std::runtime_error(self_->system().render(e)); });
    return count;
  }

  caf::scoped_actor self_;
  LogStoreActor store_;
  StateMachineActor machine_;
  StorageActor adaptor_;
  Driver driver_;
};

void print_row(const Case& what, const Figures& f) {
  std::printf("| %s, %u a call | %.1f | %.1f | %+.1f | %u | %.0f | %.0f | %.3f | %.1f / %.1f | %zu |\n",
              what.name, what.entries, median(f.direct_us), median(f.through_us), median(f.added_us),
              what.window, median(f.direct_rate), median(f.through_rate), median(f.ratio),
              median(f.direct_group), median(f.through_group), f.ratio.size());
}

bool verdict(const Case& what, const Figures& f, bool with_ratio) {
  const double added = median(f.added_us), ratio = median(f.ratio);
  const bool fast = added < kMaxAddedUs, much = !with_ratio || ratio >= kMinRatio;
  std::printf("%s, %u a call: %.1f us added %s", what.name, what.entries, added, fast ? "(met)" : "(MISSED)");
  if (with_ratio)
    std::printf(", %.3f of the rate %s", ratio, much ? "(met)" : "(MISSED)");
  std::printf("\n");
  return fast && much;
}

std::unique_ptr<storage::LogStore> open_store(const std::string& dir) {
  storage::LogStoreOptions options;
  options.dir = dir + "/log";
  storage::Identity identity;
  identity.node = NodeId(1);
  identity.instance = InstanceId(1);
  identity.cluster = ClusterId(1);
  identity.address = NodeAddress{"127.0.0.1", 1, 2};
  identity.initial_membership = membership_of({Member{identity.node, identity.address}});
  if (auto made = storage::LogStore::create(options, identity); !made)
    throw std::runtime_error(to_string(made.error()));
  storage::Recovered recovered;
  auto store = storage::LogStore::open(options, recovered);
  if (!store)
    throw std::runtime_error(to_string(store.error()));
  return std::move(*store);
}

struct Config : caf::actor_system_config {
  Config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);
    set("logger.inline-output", true);
    register_storage_errors(*this);
  }
};

/// True when the targets are met.
bool run(const std::string& dir, double seconds) {
  Config config;
  caf::actor_system system(config);
  const Case no_op{"answers at once", 2000, 20000, 32, 1};
  const Case batches{"log store, synced", 40, 200, 2, 32};
  const Case single{"log store, synced", 40, 960, 32, 1};
  Figures bare, batched, alone;
  {
    Measurement measurement(system, system.spawn<caf::detached>(no_op_store));
    bare = measurement.run(no_op, seconds / 5);
  }
  {
    Measurement measurement(system, spawn_log_store(system, SpawnMode::own_thread,
                                                    std::make_shared<OpenLog>(open_store(dir)), kEpoch));
    batched = measurement.run(batches, seconds * 2 / 5);
    alone = measurement.run(single, seconds * 2 / 5);
  }
  std::printf(
      "Medians over the rounds, in each of which direct calls and calls through the adaptor take turns.\n\n");
  std::printf(
      "| storage actor, entries | direct, us | through the adaptor, us | added, us | unanswered "
      "| direct, calls/s | through the adaptor, calls/s | ratio | calls a sync | rounds |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  print_row(no_op, bare);
  print_row(batches, batched);
  print_row(single, alone);
  std::printf("\nTargets: added below %.0f us, at least %.2f of the rate\n", kMaxAddedUs, kMinRatio);
  bool met = verdict(no_op, bare, false);
  met &= verdict(batches, batched, true);
  met &= verdict(single, alone, true);
  return met;
}

}  // namespace
}  // namespace kiwi

int main(int argc, char** argv) {
  CLI::App app("What the adaptor adds to a call of the log store actor.", "adaptor_overhead");
  double seconds = 30;
  std::string parent = std::filesystem::temp_directory_path();
  bool check = false;
  app.add_option("--seconds", seconds, "How long to measure")
      ->check(CLI::Range(0.1, 600.0))
      ->capture_default_str();
  app.add_option("--dir", parent, "Where the log lies while measuring; the disk counts")
      ->capture_default_str();
  app.add_flag("--check", check, "Exit code 1 when a target is missed");
  CLI11_PARSE(app, argc, argv);
  std::string dir = parent + "/kiwi-bench-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) {
    std::perror(dir.c_str());
    return 2;
  }
  int code = 0;
  try {
    code = !kiwi::run(dir, seconds) && check ? 1 : 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "adaptor_overhead: %s\n", e.what());
    code = 2;
  }
  std::filesystem::remove_all(dir);
  return code;
}
