#include "lab/fault/sim_backend.hpp"

#include <chrono>
#include <memory>
#include <set>

#include "lab/invariants/invariants.hpp"
#include "lab/script/settings.hpp"
#include "lab/world/world.hpp"

namespace kiwi::lab {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

Transport transport_of(script::NetProfile net) {
  return net == script::NetProfile::stream ? Transport::stream : Transport::lossy;
}

Strategy strategy_of(script::Strategy strategy) {
  switch (strategy) {
    case script::Strategy::fifo:
      return Strategy::fifo;
    case script::Strategy::pct:
      return Strategy::pct;
    case script::Strategy::random:
      break;
  }
  return Strategy::random;
}

DiskProfile disk_of(script::DiskProfile disk) {
  switch (disk) {
    case script::DiskProfile::exact:
      return DiskProfile::exact;
    case script::DiskProfile::hostile:
      return DiskProfile::hostile;
    case script::DiskProfile::ordered:
      break;
  }
  return DiskProfile::ordered;
}

Spread spread_of(const script::Range& range) { return {range.first, range.second}; }

/// The world knows one window of noise; of several, the one that spans them all.
void set_noise(const script::Scenario& scenario, WorldOptions& options) {
  if (!scenario.noise) {
    return;
  }
  options.noise_from = Time{0};
  options.noise_to = Time{0};
  for (const script::Window& window : *scenario.noise) {
    const bool first = options.noise_to == Time{0};
    options.noise_from = first ? window.from : std::min(options.noise_from, window.from);
    options.noise_to = std::max(options.noise_to, window.to);
  }
}

/// Those that `always` names; none: all.
std::set<invariants::Group> groups_of(const script::Scenario& scenario) {
  std::set<invariants::Group> groups;
  for (const script::Predicate& predicate : scenario.always) {
    if (const auto group = invariants::parse_group(predicate.name)) {
      groups.insert(*group);
    }
  }
  return groups;
}

WorldOptions options_of(const script::Scenario& scenario) {
  const script::ClusterSettings settings = script::cluster_settings(scenario);
  WorldOptions options;
  options.seed = settings.seed;
  options.nodes = settings.nodes;
  options.spares = settings.spares;
  options.tick = duration_cast<milliseconds>(settings.tick);
  const auto ticks = [&](Time time) {
    return static_cast<std::uint32_t>(std::max<Time::rep>(1, time / settings.tick));
  };
  options.election_ticks_min = ticks(settings.election.first);
  options.election_ticks_max = std::max(ticks(settings.election.second), options.election_ticks_min + 1);
  options.heartbeat_ticks = ticks(settings.heartbeat);
  options.request_timeout = duration_cast<milliseconds>(settings.request_timeout);
  options.max_cached_bytes = settings.cache;
  options.compaction.keep_bytes = settings.log_keep;
  options.compaction.keep_entries = settings.log_entries;
  options.compaction.keep_age_ms =
      static_cast<std::uint64_t>(duration_cast<milliseconds>(settings.log_age).count());
  options.compaction.laggard_bytes = settings.log_laggard;
  options.snapshot_bytes_per_second = settings.snapshot_rate;
  options.lease = settings.lease;
  options.disk_reserve_bytes = settings.disk_reserve;
  options.scrub_bytes_per_second = settings.scrub;
  options.transport = transport_of(settings.net);
  options.loss = settings.loss;
  options.duplicate = settings.duplicate;
  options.link = spread_of(settings.latency);
  options.log_disk = spread_of(settings.sync);
  options.strategy = strategy_of(settings.strategy);
  options.disk = disk_of(settings.disk);
  set_noise(scenario, options);
  options.observer = std::make_shared<invariants::Invariants>(groups_of(scenario));
  return options;
}

}  // namespace

MakeBackend make_sim_backend() {
  return [](const script::Scenario& scenario,
            Listener& listener) -> tl::expected<std::unique_ptr<Backend>, std::string> {
    return std::make_unique<World>(options_of(scenario), listener);
  };
}

}  // namespace kiwi::lab
