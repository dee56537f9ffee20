#include "statemachine/redis_machine.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "rocksdb/write_batch.h"
#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"
#include "statemachine/engine/storage_failure.hpp"
#include "statemachine/guarded.hpp"
#include "statemachine/redis_machine_impl.hpp"

namespace kiwi {
namespace {

/// Spreads numbers that differ little over all 64 bits (the finalizer of SplitMix64).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

[[noreturn]] void damaged_entry(const Entry& entry, const std::string& what) {
  // Of the log: the data database is as good as before.
  throw StorageFailure({StorageSubject::log, StorageVerb::read, StorageKind::corruption,
                        "log entry " + to_string(entry.id) + " cannot be decoded: " + what,
                        StorageOutcome::not_written});
}

/// An empty request for what is no command.
Decoded<ClientRequest> decode_command(const Entry& entry) {
  return entry.kind == EntryKind::command ? decode_request(entry.payload) : ClientRequest{};
}

/// Some commands, and what is known of their first keys on its way to the CPU while the first is carried out.
std::vector<Decoded<ClientRequest>> decode_ahead(std::span<const Entry> entries, const Overlay& overlay) {
  constexpr std::size_t kAhead = 16;
  std::vector<Decoded<ClientRequest>> requests;
  std::array<std::uint64_t, kAhead> hashes;
  std::size_t keys = 0;
  requests.reserve(std::min(entries.size(), kAhead));
  for (const auto& entry : entries.first(std::min(entries.size(), kAhead))) {
    const auto& request = requests.emplace_back(decode_command(entry));
    if (request && request->command.args.size() > 1)
      hashes[keys++] = data_format::key_hash(request->command.args[1].view());
  }
  if (requests.size() > 1)
    overlay.foresee(std::span(hashes).first(keys));
  return requests;
}

}  // namespace

void note_data_failed(Database& database, const StorageError& error) {
  KIWI_MARK("data.failed");
  if (error.subject == StorageSubject::state_machine && error.kind == StorageKind::corruption)
    database.mark_damaged(error.cause);
}

RedisMachine::RedisMachine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisMachine::~RedisMachine() = default;

AppliedState RedisMachine::applied_state() const {
  const auto& state = impl_->state;
  return {state.applied, state.clock_ms, impl_->membership, state.membership_id};
}

Reply RedisMachine::Impl::apply_command(const Entry& entry, const Decoded<ClientRequest>& request) {
  if (!request)
    damaged_entry(entry, request.error().what);
  const auto& command = request->command;
  if (command.args.empty())
    damaged_entry(entry, "a command without a name");
  const auto name = command.args[0].view();
  const auto* handler = find_handler(name);
  // The door refuses both of these. That they are in the log means that it was written by another version.
  if (handler == nullptr)
    return errors::unknown_command(command);
  if (!arity_fits(*handler, command.args.size()))
    return errors::wrong_arity(name);
  if (handler->write != nullptr) {
    ApplyContext context{*overlay, state.clock_ms};
    return handler->write(context, command);
  }
  ReadContext context{*overlay, state.clock_ms, mix(entry.id.index.value)};
  return handler->read(context, command);
}

Reply RedisMachine::Impl::apply_entry(const Entry& entry, const Decoded<ClientRequest>& request) {
  KIWI_ASSERT(entry.id.index == state.applied.index + 1, "entries are applied in log order without gaps");
  state.clock_ms = std::max(state.clock_ms, entry.stamp_ms);
  const auto expired = overlay->remove_expired(kMaxExpiredPerEntry);
  if (expired > 0)
    KIWI_MARK("key.expired");
  totals.expired_keys += expired;
  Reply reply;
  switch (entry.kind) {
    case EntryKind::blank:
    case EntryKind::tick:
      break;
    case EntryKind::command:
      reply = apply_command(entry, request);
      break;
    case EntryKind::membership: {
      auto decoded = decode_membership(entry.payload.view());
      if (!decoded)
        damaged_entry(entry, decoded.error().what);
      membership = std::move(*decoded);
      membership_changed = true;
      state.membership_id = entry.id;
      break;
    }
    case EntryKind::digest:
      break;
    default:
      damaged_entry(entry, "unknown kind " + std::to_string(static_cast<int>(entry.kind)));
  }
  state.applied = entry.id;
  unwritten = true;
  ++totals.entries_applied;
  return reply;
}

Result<ApplyResult> RedisMachine::apply(const std::vector<Entry>& entries) {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    if (impl_->write_back)
      impl_->write_back->finished();  // throws its failure
    impl_->flush_if_asked();
    ApplyResult result;
    result.replies.reserve(entries.size());
    for (std::size_t next = 0; next < entries.size();) {
      const auto requests = decode_ahead(std::span(entries).subspan(next), *impl_->overlay);
      for (const auto& request : requests) {
        const auto& entry = entries[next++];
        result.replies.push_back(impl_->apply_entry(entry, request));
        if (entry.kind == EntryKind::digest) {
          impl_->commit();
          impl_->digests->request(entry.id.index, impl_->state.keys);
        } else {
          impl_->begin_write_back_if_due();
        }
      }
    }
    if (entries.size() > 1)
      KIWI_MARK("apply.many");
    ++impl_->totals.batches_applied;
    result.next_deadline_ms = impl_->overlay->first_deadline();
    impl_->overlay->release();
    return result;
  });
}

Reply RedisMachine::Impl::answer(const RedisCommand& command, ReadView& view, std::uint64_t seed) {
  if (command.args.empty())
    return Reply::error("ERR empty command");
  const auto name = command.args[0].view();
  const auto* handler = find_handler(name);
  if (handler == nullptr)
    return errors::unknown_command(command);
  if (!arity_fits(*handler, command.args.size()))
    return errors::wrong_arity(name);
  if (handler->read == nullptr)
    return Reply::error("ERR '" + lower(name) + "' changes the state and cannot be a query");
  ReadContext context{view, view.now_ms(), seed};
  return handler->read(context, command);
}

StateAnswer RedisMachine::Impl::answer(const StateQuery& query, const Decoded<ClientRequest>& request) {
  ++totals.queries;
  StateAnswer answered;
  answered.token = query.token;
  if (!request) {
    answered.reply = Reply::error("ERR the query cannot be decoded: " + request.error().what);
    return answered;
  }
  ReadView view(*database, cache, *overlay, state, query.now_ms, counts, [this] { commit(); });
  const auto seed = mix(mix(mix(state.applied.index.value) ^ query.now_ms) ^ query.token);
  answered.reply = answer(request->command, view, seed);
  if (KIWI_MUTANT(always_wrong) && totals.queries % 50 == 0 && answered.reply.type == Reply::Type::bulk)
    answered.reply = Reply::bulk(std::string("canary"));
  answered.needs_tick_ms = view.needs_tick_ms();
  return answered;
}

Result<StateAnswer> RedisMachine::query(const StateQuery& query) {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed,
                 [&] { return impl_->answer(query, decode_request(query.payload)); });
}

Result<Index> RedisMachine::flush() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    impl_->commit();
    auto flushed = impl_->database->flush();
    if (!flushed)
      throw StorageFailure(flushed.error());
    return *flushed;
  });
}

Index RedisMachine::durable_applied() {
  const std::lock_guard lock(impl_->mutex);
  return impl_->failed ? Index() : impl_->database->durable();
}

Result<bool> RedisMachine::background_work() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    if (impl_->write_back)
      impl_->write_back->finished();  // throws its failure
    impl_->flush_if_asked();
    if (auto error = impl_->database->background_error())
      throw StorageFailure(*error);
    return impl_->digests->work();
  });
}

Result<bool> RedisMachine::scrub(std::uint64_t max_bytes) {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    auto done = impl_->database->scrub(max_bytes);
    if (!done)
      throw StorageFailure(done.error());
    return *done;
  });
}

std::optional<StateDigest> RedisMachine::digest(Index index) const {
  return impl_->digests ? impl_->digests->find(index) : std::nullopt;
}

Result<std::optional<StateDigest>> RedisMachine::digest_now() {
  const std::lock_guard lock(impl_->mutex);
  return guarded(*impl_->database, impl_->failed, [&] {
    impl_->commit();
    return digest_of_database(*impl_->database, impl_->state);
  });
}

StateStats RedisMachine::stats() const {
  const std::lock_guard lock(impl_->mutex);
  auto stats = impl_->totals;
  stats.keys = impl_->state.keys;
  stats.keys_with_expiry = impl_->state.keys_with_expiry;
  stats.disk_bytes = impl_->database->disk_bytes();
  stats.memory_bytes = impl_->database->memory_bytes() + impl_->overlay->bytes();
  stats.durable_applied = impl_->database->durable();
  stats.keyspace_hits = impl_->counts.hits;
  stats.keyspace_misses = impl_->counts.misses;
  stats.scrub = impl_->database->scrub_figures();
  return stats;
}

}  // namespace kiwi
