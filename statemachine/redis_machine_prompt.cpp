// What needs neither a disk nor a wait, told before anything is changed. The thread that asks is the IO
// thread of a node: what holds it up holds up heartbeats.

#include <algorithm>
#include <mutex>

#include "messages/fault_points.hpp"
#include "statemachine/command_table.hpp"
#include "statemachine/guarded.hpp"
#include "statemachine/redis_machine_impl.hpp"

namespace kiwi {
namespace {

/// A few, so that a client that waits alone is served without a wake-up of another thread. Where many wait,
/// the thread that asks is the one that has most to do (docs/performance.md).
constexpr std::size_t kMostEntries = 4;
/// Of one request, and of the value that its key holds.
constexpr std::uint64_t kMostBytes = 4u << 10;
/// Not SETRANGE, of which a short request makes a long value.
bool is_short(const CommandSpec& spec) {
  const bool is_set = spec.name == "set" || spec.name == "setex" || spec.name == "psetex";
  return ((spec.flags & kFlagFast) != 0 || is_set) && spec.first_key == 1 && spec.last_key == 1;
}

}  // namespace

bool RedisMachine::Impl::is_quiet() const {
  return !failed && overlay && !flush_when_written && !database->background_error();
}

bool RedisMachine::Impl::is_prompt(const Decoded<ClientRequest>& request) {
  if (!request || request->command.args.size() < 2)
    return false;
  const auto& command = request->command;
  const auto* spec = find_command_name(command.args[0].view());
  return spec != nullptr && is_short(*spec) && overlay->at_hand(command.args[1].view(), kMostBytes);
}

/// Two keys may share a line of the cache.
bool RedisMachine::Impl::all_in_reach(const std::vector<Decoded<ClientRequest>>& requests) const {
  return requests.size() == 1 || std::all_of(requests.begin(), requests.end(), [&](const auto& request) {
           const auto& args = request->command.args;
           return args.empty() || overlay->reach(data_format::key_hash(args[1].view()), args[1].view(),
                                                 kMostBytes) == Overlay::Reach::at_hand;
         });
}

std::optional<AppliedAtOnce> RedisMachine::apply_at_once(const std::vector<Entry>& entries) {
  auto& impl = *impl_;
  if (entries.size() > kMostEntries)
    return std::nullopt;
  const std::unique_lock lock(impl.mutex, std::try_to_lock);
  if (!lock.owns_lock() || !impl.is_quiet())
    return std::nullopt;
  std::vector<Decoded<ClientRequest>> requests;
  requests.reserve(entries.size());
  auto stamp_ms = impl.state.clock_ms;
  for (const auto& entry : entries) {
    const bool is_command = entry.kind == EntryKind::command;
    if (!is_command && entry.kind != EntryKind::blank && entry.kind != EntryKind::tick)
      return std::nullopt;
    if (entry.payload.size() > kMostBytes)
      return std::nullopt;
    requests.push_back(is_command ? decode_request(entry.payload) : ClientRequest{});
    if (is_command && !impl.is_prompt(requests.back()))
      return std::nullopt;
    stamp_ms = std::max(stamp_ms, entry.stamp_ms);
  }
  if (!impl.all_in_reach(requests) || !impl.overlay->no_deadline_until(stamp_ms) ||
      (entries.size() > 1 && !impl.overlay->deadlines_in_memory()))
    return std::nullopt;
  // The owner begins the next write-back. What a few commands add beyond the limit it need not wait for.
  if (impl.overlay->bytes() >= impl.unwritten_limit)
    return std::nullopt;
  auto done = guarded(*impl.database, impl.failed, [&] {
    if (impl.write_back)
      impl.write_back->finished();  // throws its failure
    AppliedAtOnce at_once;
    at_once.result.replies.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i)
      at_once.result.replies.push_back(impl.apply_entry(entries[i], requests[i]));
    ++impl.totals.batches_applied;
    at_once.result.next_deadline_ms = impl.overlay->first_deadline();
    impl.overlay->release();
    at_once.applied = impl.state.applied;
    at_once.stamp_ms = impl.state.clock_ms;
    at_once.durable = impl.database->durable();
    return at_once;
  });
  KIWI_MARK("apply.at_once");
  return done ? std::optional(std::move(*done)) : std::nullopt;
}

std::optional<AnsweredAtOnce> RedisMachine::query_at_once(const std::vector<StateQuery>& queries) {
  auto& impl = *impl_;
  if (queries.size() > kMostEntries)
    return std::nullopt;
  const std::unique_lock lock(impl.mutex, std::try_to_lock);
  if (!lock.owns_lock() || !impl.is_quiet())
    return std::nullopt;
  std::vector<Decoded<ClientRequest>> requests;
  requests.reserve(queries.size());
  for (const auto& query : queries) {
    if (query.payload.size() > kMostBytes)
      return std::nullopt;
    requests.push_back(decode_request(query.payload));
    if (!impl.is_prompt(requests.back()))
      return std::nullopt;
  }
  if (!impl.all_in_reach(requests))
    return std::nullopt;
  auto done = guarded(*impl.database, impl.failed, [&] {
    AnsweredAtOnce at_once;
    at_once.applied = impl.state.applied.index;
    at_once.answers.reserve(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i)
      at_once.answers.push_back(impl.answer(queries[i], requests[i]));
    return at_once;
  });
  return done ? std::optional(std::move(*done)) : std::nullopt;
}

}  // namespace kiwi
