#include "lab/history/direct.hpp"

#include <algorithm>
#include <utility>

#include "lab/history/explain.hpp"

namespace kiwi::lab::history {
namespace {

Finding found(const History& history, const KeyHistory& key, Kind kind, std::string checker,
              const std::string& what, std::vector<std::uint32_t> origins) {
  Finding finding;
  finding.kind = kind;
  finding.checker = std::move(checker);
  finding.key = key.key;
  finding.what = "key " + key.key + ": " + what;
  std::sort(origins.begin(), origins.end());
  origins.erase(std::unique(origins.begin(), origins.end()), origins.end());
  for (const auto origin : origins) finding.operations.push_back(history.operations()[origin]);
  finding.explanation = explanation_text(finding);
  return finding;
}

/// For each value: something about the operations that may leave it behind.
template <class T, class Note>
std::vector<T> by_written_value(const KeyHistory& key, const std::vector<KeyOperation>& operations, T initial,
                                Note note) {
  std::vector<T> notes(key.values.size(), initial);
  for (const auto& o : operations)
    if (writes(o))
      note(notes[o.action == Action::remove ? kAbsent : o.value], o);
  return notes;
}

}  // namespace

std::optional<Finding> check_values(const History& history, const KeyHistory& key) {
  if (!is_foreseen(key.operations) || !is_foreseen(key.refused))
    return std::nullopt;
  const auto earlier = [](Place& first, const KeyOperation& o) { first = std::min(first, o.call); };
  const auto first_call = by_written_value(key, key.operations, kNever, earlier);
  for (const auto& o : key.operations) {
    if (o.seen != Seen::value || o.seen_value == kAbsent || first_call[o.seen_value] < o.ret)
      continue;
    for (const auto& refused : key.refused)
      if (refused.value == o.seen_value && refused.action != Action::remove && refused.call < o.ret)
        return found(history, key, Kind::refused_but_happened, "values",
                     "a value was read that only a refused operation would have written",
                     {refused.origin, o.origin});
    std::vector<std::uint32_t> origins{o.origin};
    for (const auto& later : key.operations)
      if (writes(later) && later.value == o.seen_value)
        origins.push_back(later.origin);
    return found(history, key, Kind::phantom_value, "values",
                 origins.size() > 1 ? "a value was read before anybody wrote it"
                                    : "a value was read that nobody ever wrote",
                 origins);
  }
  return std::nullopt;
}

bool has_acknowledged_writes(const KeyHistory& key) {
  return std::any_of(key.operations.begin(), key.operations.end(),
                     [](const KeyOperation& o) { return writes(o) && !o.unknown(); });
}

bool is_final_read(const History& history, const KeyOperation& o) {
  const auto marker = history.marked_at(kFinalReads);
  return marker && o.action == Action::read && o.seen == Seen::value &&
         history.operations()[o.origin].invoked_at >= *marker;
}

namespace {

std::vector<const KeyOperation*> final_reads(const History& history, const KeyHistory& key) {
  std::vector<const KeyOperation*> reads;
  const auto marker = history.marked_at(kFinalReads);
  if (marker)
    for (const auto& o : key.operations)
      if (is_final_read(history, o))
        reads.push_back(&o);
  return reads;
}

/// It replaced whatever was there, for certain.
bool surely_replaces(const KeyOperation& o) {
  return !o.unknown() && writes(o) &&
         (o.action == Action::set || o.action == Action::remove || o.seen != Seen::nothing);
}

std::optional<Finding> registers(const History& history, const KeyHistory& key,
                                 const std::vector<const KeyOperation*>& reads) {
  // The latest that each value may have been written.
  auto last_return = by_written_value(key, key.operations, Place{-2}, [](Place& last, const KeyOperation& o) {
    last = std::max(last, o.ret);
  });
  last_return[kAbsent] = std::max(last_return[kAbsent], Place{-1});
  // Of the writes that have returned by some place, the one that was called last.
  std::vector<const KeyOperation*> certain;
  for (const auto& o : key.operations)
    if (surely_replaces(o))
      certain.push_back(&o);
  std::sort(certain.begin(), certain.end(), [](auto* a, auto* b) { return a->ret < b->ret; });
  std::vector<const KeyOperation*> latest;
  for (const auto* o : certain)
    latest.push_back(latest.empty() || latest.back()->call < o->call ? o : latest.back());
  for (const auto* read : reads) {
    const auto behind =
        std::partition_point(certain.begin(), certain.end(), [&](auto* o) { return o->ret < read->call; });
    if (behind == certain.begin())
      continue;
    const auto* write = latest[static_cast<std::size_t>(behind - certain.begin()) - 1];
    if (last_return[read->seen_value] >= write->call)
      continue;
    std::vector<std::uint32_t> origins{write->origin, read->origin};
    for (const auto& o : key.operations)
      if (writes(o) && (o.action == Action::remove ? kAbsent : o.value) == read->seen_value &&
          origins.size() < 8)
        origins.push_back(o.origin);
    return found(history, key, Kind::lost_write, "durability",
                 "an acknowledged write is missing from the final read, which gives an older state", origins);
  }
  return std::nullopt;
}

struct Sum {
  __extension__ typedef __int128 Wide;
  Wide least = 0;
  Wide most = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t unknown = 0;

  void certain(std::int64_t delta) { least += delta, most += delta, ++acknowledged; }
  void possible(std::int64_t delta) { (delta < 0 ? least : most) += delta, ++unknown; }
  void add(const KeyOperation& o, const KeyOperation& read) {
    if (!writes(o) || o.call > read.ret)
      return;
    o.ret < read.call ? certain(o.delta) : possible(o.delta);
  }
};

std::optional<Finding> counters(const History& history, const KeyHistory& key,
                                const std::vector<const KeyOperation*>& reads) {
  for (const auto& o : key.operations)
    if (o.action != Action::add && (o.action != Action::read || o.seen != Seen::value))
      return std::nullopt;
  // All final reads should agree; the linearizability of the key compares them.
  for (const auto* read : {reads.front(), reads.back()}) {
    const auto number = key.values.integer(read->seen_value);
    if (!number)
      continue;
    Sum sum;
    bool up = false;
    bool down = false;
    for (const auto& o : key.operations) {
      sum.add(o, *read);
      up = up || o.delta > 0;
      down = down || o.delta < 0;
    }
    if (sum.least <= *number && *number <= sum.most)
      continue;
    auto with_refused = sum;
    for (const auto& o : key.refused) with_refused.possible(o.delta);
    const bool too_few = up && !down ? *number < sum.least : down && !up && *number > sum.most;
    const bool too_many = up && !down ? *number > sum.most : down && !up && *number < sum.least;
    auto kind = too_few ? Kind::lost_write : too_many ? Kind::duplicate_effect : Kind::not_linearizable;
    if (!too_few && with_refused.least <= *number && *number <= with_refused.most)
      kind = Kind::refused_but_happened;
    return found(history, key, kind, "durability",
                 "the final value of the counter is " + std::to_string(*number) + ", but " +
                     std::to_string(sum.acknowledged) + " acknowledged and " + std::to_string(sum.unknown) +
                     " unknown operations allow only " +
                     std::to_string(static_cast<std::int64_t>(sum.least)) + " to " +
                     std::to_string(static_cast<std::int64_t>(sum.most)),
                 {read->origin});
  }
  return std::nullopt;
}

}  // namespace

std::optional<Finding> check_durability(const History& history, const KeyHistory& key) {
  const auto reads = final_reads(history, key);
  if (reads.empty())
    return std::nullopt;
  return is_foreseen(key.operations) ? registers(history, key, reads) : counters(history, key, reads);
}

}  // namespace kiwi::lab::history
