// Changes reach the database late, many together, and from another thread. Nobody can tell, but by the clock.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "tests/unit/statemachine/machine_fixture.hpp"
#include "tests/unit/statemachine/random_history.hpp"

namespace kiwi::test {
namespace {

/// Does what machines have to do aside, as the actor beside the state machine does.
class Aside {
 public:
  Aside() : thread_([this] { run(); }) {}
  ~Aside() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    woken_.notify_one();
    thread_.join();
  }
  void give(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    woken_.notify_one();
  }
  std::size_t done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      woken_.wait(lock, [this] { return over_ || !queue_.empty(); });
      if (queue_.empty())
        return;
      auto work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
      ++done_;
    }
  }

  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<std::function<void()>> queue_;
  std::size_t done_ = 0;
  bool over_ = false;
  std::thread thread_;
};

struct Seen {
  std::vector<Reply> replies;
  std::vector<Reply> answers;  // of queries between the batches
  std::vector<std::uint64_t> deadlines;
  std::string digest;
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// Applies the entries in batches, asks after each, and now and then walks over all keys or flushes.
Seen live_through(const std::vector<Entry>& entries, std::uint64_t unwritten_bytes,
                  std::size_t cached_records, Aside* aside) {
  Folder folder;
  Machine machine(folder.path("data"), cached_records, three_nodes(), unwritten_bytes);
  std::mt19937_64 random(7);
  Seen seen;
  for (std::size_t from = 0; from < entries.size();) {
    const auto size = std::min<std::size_t>(entries.size() - from, 1 + random() % 20);
    const auto result = machine->apply({entries.begin() + static_cast<std::ptrdiff_t>(from),
                                        entries.begin() + static_cast<std::ptrdiff_t>(from + size)});
    if (!result) {
      ADD_FAILURE() << to_string(result.error());
      return seen;
    }
    seen.replies.insert(seen.replies.end(), result->replies.begin(), result->replies.end());
    seen.deadlines.push_back(result->next_deadline_ms);
    if (auto work = machine->work_aside(); work && aside != nullptr)
      aside->give(std::move(work));
    from += size;
    const auto now = machine->applied_state().stamp_ms;
    for (const char* key : {"key1", "key2", "key7", "key30", "key59"}) {
      seen.answers.push_back(machine.ask(now, {"GET", key}).reply);
      seen.answers.push_back(machine.ask(now, {"PTTL", key}).reply);
    }
    if (random() % 40 == 0)
      seen.answers.push_back(machine.ask(now, {"SCAN", "0", "COUNT", "1000"}).reply);
    seen.answers.push_back(machine.ask(now, {"DBSIZE"}).reply);
    if (random() % 60 == 0) {
      EXPECT_EQ(machine->flush().value(), machine->applied_state().applied.index);
    }
  }
  seen.digest = machine.digest();
  return seen;
}

TEST(WriteBack, HowMuchIsUnwrittenNeverMatters) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto entries = random_history(seed, 2000);
    const auto at_once = live_through(entries, 1, 1000, nullptr);
    ASSERT_FALSE(at_once.digest.empty());
    for (const std::uint64_t bytes : {900u, 20'000u, 100'000'000u})
      for (const std::size_t cached : {0u, 3u, 1000u})
        EXPECT_EQ(live_through(entries, bytes, cached, nullptr), at_once)
            << "seed " << seed << ", " << bytes << " bytes, " << cached << " cached";
  }
}

TEST(WriteBack, AnotherThreadThatDoesTheWorkNeverMatters) {
  Aside aside;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto entries = random_history(seed, 2000);
    const auto alone = live_through(entries, 1, 1000, nullptr);
    for (const std::uint64_t bytes : {1u, 900u, 4000u})
      EXPECT_EQ(live_through(entries, bytes, 5, &aside), alone)
          << "seed " << seed << ", " << bytes << " bytes";
  }
  EXPECT_GT(aside.done(), 100u);
}

TEST(WriteBack, ACrashComesBackToWhatWasFlushedWhateverWasWritten) {
  Folder folder;
  Machine machine(folder.path("data"), 1000, three_nodes(), 1500);
  machine.write("SET a 1");
  ASSERT_TRUE(machine->flush().has_value());
  const auto flushed = machine->applied_state().applied.index;
  for (int i = 0; i < 100; ++i) machine.write("INCR counter");
  EXPECT_EQ(machine->durable_applied(), flushed);
  machine.crash();
  machine.open();
  EXPECT_EQ(machine->applied_state().applied.index, flushed);
  EXPECT_EQ(machine.read("GET counter"), "(nil)");
  EXPECT_EQ(machine.read("GET a"), "\"1\"");
}

/// The state after the first `count` entries, and nothing else.
std::string digest_after(const std::vector<Entry>& entries, std::uint64_t count) {
  Folder folder;
  Machine machine(folder.path("data"));
  for (std::uint64_t i = 0; i < count; ++i) EXPECT_TRUE(machine->apply({entries[i]}).has_value());
  const auto digest = machine->digest_now();
  return digest && *digest ? (*digest)->hex : "";
}

TEST(WriteBack, ACrashWhileNewerChangesAreGatheredComesBackToAWholeState) {
  // RocksDB flushes by itself here, whenever its small memtable is full.
  Aside aside;
  std::size_t in_between = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    auto entries = random_history(seed, 3000);
    for (auto& entry : entries)
      if (entry.kind == EntryKind::command && entry.id.index.value % 3 == 0)
        entry.payload = encode_request({command_of(
            {"SET", "large" + std::to_string(entry.id.index.value % 40), std::string(900, 'v')})});
    Folder folder;
    Machine machine(folder.path("data"), 50, three_nodes(), 5000, 64 << 10);
    std::mt19937_64 random(seed);
    std::uint64_t at = 0;
    for (int crashes = 0; crashes < 12; ++crashes) {
      const auto until = std::min<std::uint64_t>(entries.size(), at + 1 + random() % 500);
      for (; at < until; ++at) {
        ASSERT_TRUE(machine->apply({entries[at]}).has_value());
        if (auto work = machine->work_aside(); work && random() % 4 != 0)
          aside.give(std::move(work));
        if (random() % 100 == 0) {
          ASSERT_TRUE(machine->request_flush().has_value());
        }
      }
      const auto durable = machine->durable_applied();
      machine.crash();
      machine.open();
      const auto found = machine->applied_state().applied.index.value;
      ASSERT_GE(found, durable.value);
      ASSERT_LE(found, at);
      in_between += found > 0 && found < at;
      const auto digest = machine->digest_now();
      ASSERT_TRUE(digest.has_value() && *digest);
      ASSERT_EQ((*digest)->hex, digest_after(entries, found)) << "seed " << seed << ", back at " << found;
      at = found;
    }
  }
  EXPECT_GT(in_between, 10u);
}

TEST(WriteBack, AFlushThatIsAskedForWaitsForNobodyAndComesAllTheSame) {
  Folder folder;
  Machine machine(folder.path("data"), 1000, three_nodes(), 1 << 20);
  for (int i = 0; i < 100; ++i) machine.write("INCR counter");
  const auto wanted = machine->applied_state().applied.index;
  ASSERT_TRUE(machine->request_flush().has_value());
  auto work = machine->work_aside();
  ASSERT_TRUE(work) << "what is to be flushed must be written first, by somebody else";
  machine.write("INCR counter");
  EXPECT_LT(machine->durable_applied(), wanted);
  work();
  for (int i = 0; i < 1000 && machine->durable_applied() < wanted; ++i) {
    machine.write("INCR counter");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // RocksDB's own thread flushes
  }
  EXPECT_GE(machine->durable_applied(), wanted);
}

TEST(WriteBack, FiguresCanBeAskedForWhileASnapshotIsBuilt) {
  Folder folder;
  Machine machine(folder.path("data"), 1000, three_nodes(), 2000);
  auto builder = machine->get_snapshot_builder();
  ASSERT_TRUE(builder.has_value());
  std::atomic<bool> over = false;
  std::thread other([&] {
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE((*builder)->build_snapshot(folder.path("snapshots" + std::to_string(i))).has_value());
    over = true;
  });
  std::uint64_t entries = 0;
  while (!over) {
    machine.write("INCR counter");
    ++entries;
    EXPECT_EQ(machine->stats().keys, 1u);
    EXPECT_GE(machine->applied_state().applied.index, machine->durable_applied());
  }
  other.join();
  EXPECT_EQ(machine.read("GET counter"), "\"" + std::to_string(entries) + "\"");
}

TEST(WriteBack, ASnapshotHoldsWhatWasAppliedBeforeItWasAskedFor) {
  Folder folder;
  Machine machine(folder.path("data"));
  auto builder = machine->get_snapshot_builder();
  ASSERT_TRUE(builder.has_value());
  machine.write("SET a 1");
  const auto first = (*builder)->build_snapshot(folder.path("snapshots"));
  ASSERT_TRUE(first.has_value()) << to_string(first.error());
  EXPECT_EQ(first->meta.last_log_id, machine->applied_state().applied);
  // From another thread, while entries are applied.
  std::thread other([&] {
    const auto snapshot = (*builder)->build_snapshot(folder.path("snapshots"));
    ASSERT_TRUE(snapshot.has_value()) << to_string(snapshot.error());
    EXPECT_GE(snapshot->meta.last_log_id.index, first->meta.last_log_id.index);
  });
  for (int i = 0; i < 2000; ++i) machine.write("INCR counter");
  other.join();
  EXPECT_EQ(machine.read("GET counter"), "\"2000\"");
}

TEST(WriteBack, TheBuilderOfAMachineThatIsGoneSaysSo) {
  Folder folder;
  Machine machine(folder.path("data"));
  auto builder = machine->get_snapshot_builder();
  machine.write("SET a 1");
  machine.crash();
  const auto snapshot = (*builder)->build_snapshot(folder.path("snapshots"));
  ASSERT_FALSE(snapshot.has_value());
  EXPECT_EQ(snapshot.error().kind, StorageKind::unavailable);
}

}  // namespace
}  // namespace kiwi::test
