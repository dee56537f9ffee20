#include "lab/script/settings.hpp"

#include <algorithm>

#include "lab/script/parse.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab::script {
namespace {

using enum ValueType;

constexpr ValueSpec kCluster[] = {
    {.name = "nodes",
     .type = number,
     .fallback = "3",
     .summary = "voters n1, n2, ...",
     .least = 1,
     .most = kMaxNodes},
    {.name = "spares",
     .type = number,
     .fallback = "0",
     .summary = "machines beyond them, n(nodes+1), ..., each with a node that belongs to no cluster yet",
     .most = 9},
    {.name = "seed",
     .type = number,
     .fallback = "1",
     .summary = "of every random decision; --seed replaces it"},
    {.name = "disk",
     .type = choice,
     .choices = "ordered|hostile|exact",
     .fallback = "ordered",
     .summary =
         "what a power failure may leave: a prefix of each file's writes, any part of them, everything"},
    {.name = "net",
     .type = choice,
     .choices = "stream|lossy",
     .fallback = "stream",
     .summary =
         "frames in order or a broken connection; or each frame by itself, may be lost, doubled, overtaken"},
    {.name = "strategy",
     .type = choice,
     .choices = "random|fifo|pct",
     .fallback = "random",
     .summary =
         "which actor runs next: by keyed chance, in order, by priorities that change rarely; simulator "
         "only"},
    {.name = "tick", .type = duration, .fallback = "50ms", .summary = "of the nodes' Raft clocks"},
    {.name = "election",
     .type = duration_range,
     .fallback = "500ms..1s",
     .summary = "time without a leader before a node campaigns; multiples of the tick"},
    {.name = "heartbeat",
     .type = duration,
     .fallback = "100ms",
     .summary = "between heartbeats; a multiple of the tick, at most half of the election time"},
    {.name = "request-timeout",
     .type = duration,
     .fallback = "5s",
     .summary = "after which a node answers `unknown`"},
    {.name = "latency",
     .type = duration_range,
     .fallback = "200us..600us",
     .summary = "one way, between nodes"},
    {.name = "loss", .type = probability, .fallback = "0", .summary = "of a frame; with net=lossy only"},
    {.name = "duplicate", .type = probability, .fallback = "0", .summary = "of a frame; with net=lossy only"},
    {.name = "sync",
     .type = duration_range,
     .fallback = "200us..1500us",
     .summary = "time of a sync of the log"},
    {.name = "cache",
     .type = bytes,
     .fallback = "32MB",
     .summary = "entries that a leader keeps in memory for those who lag"},
    {.name = "log-keep",
     .type = bytes,
     .fallback = "32MB",
     .summary = "the log is purged when it is a quarter larger than this",
     .least = 1024},
    {.name = "log-entries",
     .type = number,
     .fallback = "1000000",
     .summary = "... or has a quarter more entries than this",
     .least = 16},
    {.name = "log-age",
     .type = duration,
     .fallback = "168h",
     .summary = "... and entries that are older are purged in any case; at least 1s"},
    {.name = "log-laggard",
     .type = bytes,
     .fallback = "128MB",
     .summary = "a live follower that lags keeps the log up to this size; beyond it gets a snapshot",
     .least = 1024},
    {.name = "snapshot-rate",
     .type = byte_rate,
     .summary = "most bytes of snapshots that a node sends; no limit without it",
     .least = 131072},
    {.name = "disk-reserve",
     .type = bytes,
     .fallback = "0",
     .summary = "with less room on its disk a node refuses writes and hands leadership over; 0: off"},
    {.name = "scrub",
     .type = bytes,
     .fallback = "0",
     .summary = "read again of each database in a second and compared with checksums; 0: off"},
    {.name = "reads",
     .type = choice,
     .choices = "quorum|lease",
     .fallback = "quorum",
     .summary = "how the nodes make sure that they lead when they serve a read: a round, or a lease"},
    {.name = "run", .type = duration, .fallback = "0", .summary = "the run lasts at least so long"},
    {.name = "settle",
     .type = duration,
     .fallback = "30s",
     .summary = "the longest wait at the end until all is well"},
    {.name = "at-end",
     .type = choice,
     .choices = "heal|leave",
     .fallback = "heal",
     .summary = "whether links, disks and nodes are made whole before the last checks"},
    {.name = "floor",
     .type = number,
     .fallback = "0",
     .summary = "with fewer finished operations of loads the run is vacuous"},
};

constexpr ValueSpec kLoad[] = {
    {.name = "clients",
     .type = number,
     .fallback = "8",
     .summary = "how many at a time",
     .least = 1,
     .most = 1000},
    {.name = "keys",
     .type = number,
     .fallback = "10",
     .summary = "of each kind of keys",
     .least = 1,
     .most = 100000},
    {.name = "mix",
     .type = weights,
     .choices = "get|set|getset|del|incr|decr|count|getx|setnx|setxx|delx",
     .fallback = "\"get 50, set 50\"",
     .summary = "commands with weights: get set getset del on registers with unique values, incr decr count "
                "on counters, "
                "getx setnx setxx delx on registers that are written on a condition"},
    {.name = "rate",
     .type = rate,
     .choices = "closed",
     .fallback = "100/s",
     .summary = "of the whole load; closed: each client sends the next command when it has room"},
    {.name = "think",
     .type = duration,
     .fallback = "1ms",
     .summary = "with rate=closed: pause before the next command"},
    {.name = "timeout", .type = duration, .fallback = "1s", .summary = "then the outcome is unknown"},
    {.name = "pipeline",
     .type = number,
     .fallback = "1",
     .summary = "commands in flight per client",
     .least = 1,
     .most = 1000},
    {.name = "ops", .type = number, .fallback = "100000", .summary = "at most so many commands", .least = 1},
    {.name = "values",
     .type = number,
     .fallback = "16",
     .summary = "bytes of a value, or what makes it unique",
     .least = 1,
     .most = 1048576},
    {.name = "keys-by",
     .type = choice,
     .choices = "uniform|zipf",
     .fallback = "uniform",
     .summary = "how keys are drawn"},
    {.name = "to",
     .type = name,
     .summary = "a node: clients stay there and follow no redirect; any node without it"},
    {.name = "stale",
     .type = name,
     .summary = "a load whose keys are read on whatever node, READONLY; get and count only"},
};

constexpr ValueSpec kFuzz[] = {
    {.name = "gap",
     .type = duration_range,
     .fallback = "500ms..3s",
     .summary = "between the beginnings of two faults"},
    {.name = "lasts",
     .type = duration_range,
     .fallback = "500ms..5s",
     .summary = "how long a fault stays before it is ended"},
    {.name = "members",
     .type = probability,
     .fallback = "0",
     .summary =
         "share of the moments at which a client asks for a random change of members, or a transfer of "
         "leadership, instead"},
    {.name = "spare",
     .type = choice,
     .choices = "majority|none",
     .fallback = "majority",
     .summary = "majority: never takes more than a minority of the voters away at once; none: may take all"},
};

/// Values of settings with the defaults of a table behind them.
class Values {
 public:
  Values(const std::vector<Setting>& settings, std::span<const ValueSpec> keys)
      : settings_(settings), keys_(keys) {}
  std::string_view operator[](std::string_view key) const {
    const auto found = std::ranges::find(settings_, key, &Setting::key);
    if (found != settings_.end()) {
      return found->value;
    }
    const ValueSpec* spec = find_key(keys_, key);
    KIWI_ASSERT(spec != nullptr, "settings are read by keys of their table");
    return spec->fallback;
  }

 private:
  const std::vector<Setting>& settings_;
  std::span<const ValueSpec> keys_;
};

template <class T>
T checked(std::optional<T> value) {
  KIWI_ASSERT(value.has_value(), "the parser has checked every value");
  return *value;
}

/// The place of `word` in "a|b|c".
template <class Enum>
Enum choice_of(std::string_view choices, std::string_view word) {
  int index = 0;
  while (choices.substr(0, choices.find('|')) != word) {
    KIWI_ASSERT(choices.find('|') != std::string_view::npos, "the parser has checked every choice");
    choices.remove_prefix(choices.find('|') + 1);
    ++index;
  }
  return static_cast<Enum>(index);
}

}  // namespace

std::span<const ValueSpec> cluster_keys() { return kCluster; }
std::span<const ValueSpec> load_keys() { return kLoad; }
std::span<const ValueSpec> fuzz_keys() { return kFuzz; }

const ValueSpec* find_key(std::span<const ValueSpec> keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &ValueSpec::name);
  return found == keys.end() ? nullptr : &*found;
}

ClusterSettings cluster_settings(const Scenario& scenario) {
  const Values values(scenario.cluster, kCluster);
  ClusterSettings s;
  s.nodes = checked(read_number(values["nodes"]));
  s.spares = checked(read_number(values["spares"]));
  s.seed = checked(read_number(values["seed"]));
  s.disk = choice_of<DiskProfile>("ordered|hostile|exact", values["disk"]);
  s.net = choice_of<NetProfile>("stream|lossy", values["net"]);
  s.strategy = choice_of<Strategy>("random|fifo|pct", values["strategy"]);
  s.tick = checked(read_duration(values["tick"]));
  s.election = checked(read_duration_range(values["election"]));
  s.heartbeat = checked(read_duration(values["heartbeat"]));
  s.request_timeout = checked(read_duration(values["request-timeout"]));
  s.latency = checked(read_duration_range(values["latency"]));
  s.loss = checked(read_probability(values["loss"]));
  s.duplicate = checked(read_probability(values["duplicate"]));
  s.sync = checked(read_duration_range(values["sync"]));
  s.disk_reserve = checked(read_bytes(values["disk-reserve"]));
  s.scrub = checked(read_bytes(values["scrub"]));
  s.cache = checked(read_bytes(values["cache"]));
  s.log_keep = checked(read_bytes(values["log-keep"]));
  s.log_entries = checked(read_number(values["log-entries"]));
  s.log_age = checked(read_duration(values["log-age"]));
  s.log_laggard = checked(read_bytes(values["log-laggard"]));
  const auto rate = values["snapshot-rate"];
  s.snapshot_rate = rate.empty() ? 0 : checked(read_byte_rate(rate));
  s.lease = values["reads"] == "lease";
  s.run = checked(read_duration(values["run"]));
  s.settle = checked(read_duration(values["settle"]));
  s.heal_at_end = values["at-end"] == "heal";
  s.floor = checked(read_number(values["floor"]));
  return s;
}

std::map<std::string, std::string> load_options(const Load& load) {
  std::map<std::string, std::string> options;
  for (const auto& setting : load.settings) {
    options.emplace(setting.key, setting.value);
  }
  return options;
}

FuzzSettings fuzz_settings(const When& fuzz) {
  const Values values(fuzz.settings, kFuzz);
  return {.gap = checked(read_duration_range(values["gap"])),
          .lasts = checked(read_duration_range(values["lasts"])),
          .members = checked(read_probability(values["members"])),
          .spare_majority = values["spare"] == "majority"};
}

}  // namespace kiwi::lab::script
