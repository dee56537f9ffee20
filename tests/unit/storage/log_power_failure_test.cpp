// The log store on a disk that forgets everything un-synced, bytes and names: power failures at every moment.

#include "log_story.hpp"

namespace kiwi::storage {
namespace {

/// How the power fails, and the format of the log.
struct Failing {
  sim::PowerFailure failure;
  std::uint32_t format = kLogFormatVersion;
};

/// A moment in a story at which the power fails.
struct Moment {
  std::string operation;  // the one that did not happen any more
  sim::SimDisk disk;
  Promise before;  // acknowledged
  Promise after;   // with the write under way: allowed as a whole, not demanded
  bool created = false;
};

/// Tells the story and keeps an image of the disk before every operation on it.
std::vector<Moment> moments(const Failing& failing) {
  const auto& failure = failing.failure;
  std::vector<Moment> result;
  Promise promise, next;
  bool created = false;
  Node node;
  node.options.format = failing.format;
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
void expect_promise_kept(Node& node, const Moment& moment, std::uint32_t format) {
  node.options.format = format;
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

class PowerFailureAtEveryMoment : public ::testing::TestWithParam<Failing> {};

TEST_P(PowerFailureAtEveryMoment, KeepsEveryAcknowledgedWriteAndNeverLeavesAHole) {
  auto all = moments(GetParam());
  ASSERT_GT(all.size(), 100u) << "the story is too short to prove anything";
  for (auto& moment : all) {
    SCOPED_TRACE("before: " + moment.operation);
    Node node(std::move(moment.disk));
    expect_promise_kept(node, moment, GetParam().format);
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
        images.emplace_back(operation, node.machine.disk.after_power_failure(GetParam().failure));
      });
      expect_promise_kept(node, moment, GetParam().format);
      images.emplace_back("the end of recovery", node.machine.disk.after_power_failure(GetParam().failure));
    }
    for (auto& [operation, disk] : images) {
      SCOPED_TRACE("second before: " + operation);
      Node node(std::move(disk));
      expect_promise_kept(node, moment, GetParam().format);
      ++second_moments;
      if (HasFailure()) {
        return;
      }
    }
  }
  EXPECT_GT(second_moments, 200u);
}

std::string name_of(const ::testing::TestParamInfo<Failing>& tested) {
  const auto& f = tested.param.failure;
  return "Bytes" + std::to_string(f.torn_bytes) + (f.sizes_kept ? "WithSizes" : "") + "Names" +
         std::to_string(f.names_kept) + (f.zeroes_ahead > 0 ? "Zeroes" + std::to_string(f.zeroes_ahead) : "");
}

INSTANTIATE_TEST_SUITE_P(Kept, PowerFailureAtEveryMoment,
                         ::testing::Values(Failing{{0, false, 0}}, Failing{{0, false, 1}},
                                           Failing{{0, false, 1000}}, Failing{{1, false, 1000}},
                                           Failing{{40, false, 0}}, Failing{{700, false, 2}},
                                           Failing{{40'000, false, 1000}}, Failing{{1u << 30, false, 0}},
                                           Failing{{1u << 30, false, 1000}}, Failing{{0, true, 1000}},
                                           Failing{{100, true, 0}}, Failing{{513, true, 1000}},
                                           Failing{{0, false, 1000, 1000}},
                                           Failing{{513, false, 1000, 100'000}}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(KeptInTheFirstFormat, PowerFailureAtEveryMoment,
                         ::testing::Values(Failing{{0, false, 0}, 1}, Failing{{40, false, 0}, 1},
                                           Failing{{700, false, 2}, 1}, Failing{{1u << 30, false, 1000}, 1},
                                           Failing{{513, true, 1000}, 1},
                                           Failing{{513, false, 1000, 100'000}, 1}),
                         name_of);

}  // namespace
}  // namespace kiwi::storage
