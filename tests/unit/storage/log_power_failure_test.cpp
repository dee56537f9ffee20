// The log store on a disk that forgets everything un-synced, bytes and names: power failures at every moment.

#include "sim_node.hpp"

namespace kiwi::storage {
namespace {

/// What a story of writes has been promised so far, and what the write under way may add.
struct Promise {
  std::vector<Entry> entries;  // from index purged + 1
  LogId purged;
  Vote vote;
  std::size_t bindings = 0;
  ClusterId cluster{9};

  void apply(const LogWrite& step) {
    if (step.truncate_from) {
      entries.resize(step.truncate_from - purged.index - 1);
    }
    entries.insert(entries.end(), step.entries.begin(), step.entries.end());
    if (step.has_vote) {
      vote = step.vote;
    }
    bindings += step.has_binding ? 1 : 0;
    if (step.purge_to > purged.index) {
      const auto gone = step.purge_to - purged.index;
      purged = entries[gone - 1].id;
      entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(gone));
    }
  }
};

/// Empty when the store holds exactly what was promised.
std::string difference(Node& node, const Promise& promise) {
  const auto& found = node.found();
  const auto last = promise.entries.empty() ? promise.purged : promise.entries.back().id;
  if (found.vote != promise.vote) {
    return "vote of term " + to_string(found.vote.term) + ", promised " + to_string(promise.vote.term);
  }
  if (found.purged != promise.purged || found.last != last) {
    return "log " + to_string(found.purged) + ".." + to_string(found.last) + ", promised " +
           to_string(promise.purged) + ".." + to_string(last);
  }
  if (found.bindings.size() != promise.bindings) {
    return "another number of bindings";
  }
  if (promise.entries.empty()) {
    return {};
  }
  const auto read = node.store().read(promise.purged.index + 1, last.index, ~std::uint64_t{0});
  if (!read) {
    return why(read);
  }
  return *read == promise.entries ? "" : "other entries";
}

/// A story with everything in it: growing, truncating, overwriting, voting, binding, purging, and enough
/// bytes for write-ahead logs to be changed and tables to be written.
std::vector<std::vector<LogWrite>> story() {
  return {
      {vote(1, 1), append(1, 3)},
      {append(4, 4)},
      {append({entry(5, 1, std::string(3000, 'x')), entry(6)})},
      {bind(2, 22), append(7, 7)},
      {truncate(6), append(6, 8, 2), vote(2, 3)},
      {append({entry(9, 2, std::string(70'000, 'y'))})},
      {append(10, 12, 2)},
      {purge(5)},
      {truncate(11), append(11, 11, 3), append(12, 13, 3), vote(3, 0)},
      {append({entry(14, 3, std::string(3000, 'z'))})},
      {bind(3, 33)},
      {vote(4, 1)},
      {purge(14)},
      {append(15, 16, 4)},
  };
}

/// A moment in a story at which the power fails.
struct Moment {
  std::string operation;  // the one that did not happen any more
  sim::SimDisk disk;
  Promise before;  // acknowledged
  Promise after;   // with the write under way: allowed as a whole, not demanded
  bool created = false;
};

/// Tells the story and keeps an image of the disk before every operation on it.
std::vector<Moment> moments(const sim::PowerFailure& failure) {
  std::vector<Moment> result;
  Promise promise, next;
  bool created = false;
  Node node;
  node.machine.fs->before_change([&](const std::string& operation) {
    result.push_back({operation, node.machine.disk.after_power_failure(failure), promise, next, created});
  });
  const auto made = node.create();
  EXPECT_TRUE(made) << why(made);
  created = true;
  if (!made || !node.open()) {
    ADD_FAILURE() << "the story has no beginning";
    return result;
  }
  for (const auto& group : story()) {
    for (const auto& step : group) {
      next.apply(step);
    }
    const auto written = node.store().write(group);
    EXPECT_TRUE(written) << why(written);
    promise = next;
    node.machine.env.run_jobs();
    node.machine.clock->advance(100);
  }
  result.push_back({"the end", node.machine.disk.after_power_failure(failure), promise, next, created});
  return result;
}

/// Recovers from an image, and must find what was promised, or that and the whole write under way.
void expect_promise_kept(Node& node, const Moment& moment) {
  if (!moment.created && !LogStore::exists(node.options)) {
    // The crash was in create(): nothing was promised, and it can be made again.
    const auto made = node.create();
    ASSERT_TRUE(made) << why(made);
  }
  ASSERT_TRUE(node.open()) << why(node.opened->error);
  const auto older = difference(node, moment.before);
  if (!older.empty()) {
    EXPECT_EQ(difference(node, moment.after), "") << "nor is it what was acknowledged: " << older;
  }
}

class PowerFailureAtEveryMoment : public ::testing::TestWithParam<sim::PowerFailure> {};

TEST_P(PowerFailureAtEveryMoment, KeepsEveryAcknowledgedWriteAndNeverLeavesAHole) {
  auto all = moments(GetParam());
  ASSERT_GT(all.size(), 100u) << "the story is too short to prove anything";
  for (auto& moment : all) {
    SCOPED_TRACE("before: " + moment.operation);
    Node node(std::move(moment.disk));
    expect_promise_kept(node, moment);
    if (HasFailure()) {
      return;
    }
    // And it is a log that goes on.
    const auto last = node.store().last();
    const auto written = node.store().write({append({entry(last.index.value + 1, 9)})});
    ASSERT_TRUE(written) << why(written);
  }
}

TEST_P(PowerFailureAtEveryMoment, ASecondOneDuringRecoveryLosesNothingEither) {
  auto all = moments(GetParam());
  std::size_t second_moments = 0;
  for (std::size_t i = 0; i < all.size(); i += 17) {
    auto& moment = all[i];
    SCOPED_TRACE("first before: " + moment.operation);
    std::vector<std::pair<std::string, sim::SimDisk>> images;
    {
      Node node(std::move(moment.disk));
      node.machine.fs->before_change([&](const std::string& operation) {
        images.emplace_back(operation, node.machine.disk.after_power_failure(GetParam()));
      });
      expect_promise_kept(node, moment);
      images.emplace_back("the end of recovery", node.machine.disk.after_power_failure(GetParam()));
    }
    for (auto& [operation, disk] : images) {
      SCOPED_TRACE("second before: " + operation);
      Node node(std::move(disk));
      expect_promise_kept(node, moment);
      ++second_moments;
      if (HasFailure()) {
        return;
      }
    }
  }
  EXPECT_GT(second_moments, 200u);
}

INSTANTIATE_TEST_SUITE_P(
    Kept, PowerFailureAtEveryMoment,
    ::testing::Values(sim::PowerFailure{0, false, 0}, sim::PowerFailure{0, false, 1},
                      sim::PowerFailure{0, false, 1000}, sim::PowerFailure{1, false, 1000},
                      sim::PowerFailure{40, false, 0}, sim::PowerFailure{700, false, 2},
                      sim::PowerFailure{40'000, false, 1000}, sim::PowerFailure{1u << 30, false, 0},
                      sim::PowerFailure{1u << 30, false, 1000}, sim::PowerFailure{0, true, 1000},
                      sim::PowerFailure{100, true, 0}, sim::PowerFailure{513, true, 1000}),
    [](const auto& tested) {
      const auto& f = tested.param;
      return "Bytes" + std::to_string(f.torn_bytes) + (f.sizes_kept ? "WithSizes" : "") + "Names" +
             std::to_string(f.names_kept);
    });

}  // namespace
}  // namespace kiwi::storage
