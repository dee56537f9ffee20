#include "storage/log_shape.hpp"

#include <algorithm>
#include <string>

#include "messages/assert.hpp"
#include "storage/wal_scan.hpp"

namespace kiwi::storage {
namespace {

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

void check(const rocksdb::Status& status) {
  // A batch in memory fails only beyond 4 GiB, which the limits on entries and groups rule out.
  KIWI_ASSERT(status.ok(), "a batch of the log could not be built");
}

/// Removes the entries [first, last] if there are any.
void remove_entries(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family, Index first,
                    Index last) {
  if (first <= last) {
    check(batch.DeleteRange(family, entry_key(first), entry_key(last + 1)));
  }
}

}  // namespace

void LogShape::apply(const LogWrite& step) {
  if (step.reset_to != LogId{}) {
    reset_to(step.reset_to);
    members.reset_to(step);
  }
  if (step.truncate_from) {
    truncate_from(step.truncate_from);
    members.truncate_from(step.truncate_from);
  }
  for (const auto& entry : step.entries) {
    append(entry);
    members.append(entry);
  }
  if (step.has_vote) {
    state.vote = step.vote;
  }
  if (step.has_binding) {
    bound.insert(step.binding.node);
    state.bindings = bound.size();
  }
  if (step.purge_to) {
    purge_to(step.purge_to);
    members.purge_to(step.purge_to);
  }
}

Term LogShape::term_of(Index index) const {
  if (index == state.purged.index) {
    return state.purged.term;
  }
  const auto behind = std::upper_bound(runs.begin(), runs.end(), index,
                                       [](Index i, const TermRun& run) { return i < run.first; });
  KIWI_ASSERT(behind != runs.begin(), "the log has no term for one of its indexes");
  return std::prev(behind)->term;
}

bool LogShape::holds(LogId id) const {
  return id.index >= state.purged.index && id.index <= state.last.index && term_of(id.index) == id.term;
}

void LogShape::reset_to(LogId id) {
  KIWI_ASSERT(id.index >= state.purged.index, "a reset below the purge point");
  state.purged = id;
  state.last = id;
  runs.clear();
}

void LogShape::truncate_from(Index first) {
  KIWI_ASSERT(first > state.purged.index, "a truncation at or below the purge point");
  KIWI_ASSERT(first <= state.last.index + 1, "a truncation behind the end of the log");
  state.last = {term_of(first - 1), first - 1};
  while (!runs.empty() && runs.back().first >= first) {
    runs.pop_back();
  }
}

void LogShape::append(const Entry& entry) {
  KIWI_ASSERT(entry.id.index == state.last.index + 1, "a gap between the log and a new entry");
  if (runs.empty() || runs.back().term != entry.id.term) {
    runs.push_back({entry.id.term, entry.id.index});
  }
  state.last = entry.id;
}

void LogShape::purge_to(Index index) {
  KIWI_ASSERT(index <= state.last.index, "a purge beyond the end of the log");
  if (index <= state.purged.index) {
    return;
  }
  state.purged = {term_of(index), index};
  const auto first_kept = std::upper_bound(runs.begin(), runs.end(), index + 1,
                                           [](Index i, const TermRun& run) { return i < run.first; });
  runs.erase(runs.begin(), std::prev(first_kept));
  runs.front().first = index + 1;
  if (state.purged == state.last) {
    runs.clear();
  }
}

void put_state(rocksdb::WriteBatch& batch, const LogState& state) {
  KIWI_ASSERT(batch.Count() == 0, "the state is the first thing in a batch");
  check(batch.Put(slice(kStateKey), encode_state(state)));
}

void put_identity(rocksdb::WriteBatch& batch, const Identity& identity) {
  check(batch.Put(slice(kIdentityKey), encode_identity(identity)));
}

void put_members(rocksdb::WriteBatch& batch, const LogShape& before, const LogShape& after) {
  if (before.members.base == after.members.base) {
    return;
  }
  if (after.members.base) {
    check(batch.Put(slice(kMembersKey), encode_members(*after.members.base)));
  } else {
    check(batch.Delete(slice(kMembersKey)));
  }
}

void remove_binding(rocksdb::WriteBatch& batch, NodeId node) { check(batch.Delete(binding_key(node))); }

void put_steps(rocksdb::WriteBatch& batch, rocksdb::ColumnFamilyHandle* family, const LogState& before,
               const LogState& after, const std::vector<LogWrite>& steps) {
  put_state(batch, after);
  // What is at or below the purge point is not removed here: see log_purge.hpp.
  auto last = before.last.index;
  std::string value;
  for (const auto& step : steps) {
    if (step.reset_to != LogId{}) {
      remove_entries(batch, family, step.reset_to.index + 1, last);
      last = step.reset_to.index;
    }
    if (step.truncate_from) {
      remove_entries(batch, family, step.truncate_from, last);
      last = step.truncate_from - 1;
    }
    for (const auto& entry : step.entries) {
      value.clear();
      encode_entry_to(entry, value);
      check(batch.Put(family, entry_key(entry.id.index), value));
      last = entry.id.index;
    }
    if (step.has_binding) {
      check(batch.Put(binding_key(step.binding.node), encode_binding(step.binding)));
    }
  }
}

void fill_sector(rocksdb::WriteBatch& batch, std::uint64_t offset) {
  const auto end_with = [&](std::uint64_t bytes) { return offset + wal_bytes_of_batch(offset, bytes); };
  const auto bytes = batch.GetDataSize();
  if (end_with(bytes) % kSectorBytes == 0) {
    return;
  }
  // A filler of n bytes takes a tag, a length of one byte or two, and itself; where it crosses into the next
  // block there is one more fragment header. So try sizes around the gap instead of solving for it.
  constexpr std::uint64_t kSlack = 16;
  const auto gap = kSectorBytes - end_with(bytes) % kSectorBytes;
  for (auto n = gap > kSlack ? gap - kSlack : 0; n <= gap + kSectorBytes; ++n) {
    const std::uint64_t length_bytes = n < 128 ? 1 : 2;
    if (end_with(bytes + 1 + length_bytes + n) % kSectorBytes == 0) {
      check(batch.PutLogData(std::string(n, '\0')));
      return;
    }
  }
}

}  // namespace kiwi::storage
