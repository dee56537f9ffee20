#include "statemachine/engine/overlay.hpp"

#include <algorithm>

#include "messages/assert.hpp"
#include "messages/fault_points.hpp"
#include "statemachine/engine/key_cursor.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {

using data_format::key_hash;
using data_format::key_row;

namespace {

constexpr std::uint64_t kSlotOverheadBytes = 200;
constexpr std::uint64_t kDeadlineOverheadBytes = 100;

[[noreturn]] void damaged(const std::string& what) {
  throw StorageFailure(state_machine_error(StorageVerb::read, StorageKind::corruption, what));
}

}  // namespace

void Overlay::foresee(std::span<const std::uint64_t> hashes) const {
  const auto each = [&](auto step) {
    for (const auto hash : hashes)
      for (const auto* generation : {static_cast<const Generation*>(now_.get()), before_.get()})
        if (generation != nullptr && step(*generation, hash))
          break;
  };
  each([](const Generation& g, std::uint64_t hash) { return g.fetch_place(hash); });
  each([](const Generation& g, std::uint64_t hash) { return g.fetch_entry(hash); });
  each([](const Generation& g, std::uint64_t hash) { return g.fetch_content(hash); });
}

Generation::Entry& Overlay::slot(std::string_view key, bool want_payload) {
  const auto hash = key_hash(key);
  auto* found = now_->find(hash, key);
  if (found == nullptr) {
    found = &now_->add(hash, key);
    now_->bytes += kSlotOverheadBytes + key.size();
    load(key, hash, found->slot, want_payload);
  } else if (want_payload && found->slot.present && !found->slot.has_payload) {
    load(key, hash, found->slot, true);
  }
  return *found;
}

void Overlay::load(std::string_view key, std::uint64_t hash, Slot& slot, bool want_payload) {
  if (now_->erased_all || state_.keys == 0)
    return;
  if (before_) {
    const auto* entry = before_->find(hash, key);
    if (entry == nullptr && before_->erased_all)
      return;
    const auto* known = entry == nullptr ? nullptr : &entry->slot;
    if (known != nullptr && (known->has_payload || !known->present || !want_payload)) {
      slot.in_database = slot.present = known->present;
      slot.has_payload = known->has_payload;
      slot.record = known->record;
      now_->bytes += slot.record.payload.size();
      return;
    }
  }
  if (const auto* line = cache_.find(hash, key)) {
    slot.in_database = slot.present = slot.has_payload = line->present;
    if (line->present)
      slot.record = line->record;
    return;
  }
  if (!database_.get(key_row(hash, key), value_))
    return;
  std::string_view payload;
  if (!data_format::decode_record({value_.data(), value_.size()}, slot.record.meta, payload))
    damaged("the record of a key cannot be decoded");
  slot.in_database = true;
  slot.present = true;
  if (want_payload) {
    slot.record.payload = Bytes::copy_of(payload);
    slot.has_payload = true;
    now_->bytes += payload.size();
  }
}

Overlay::Known Overlay::look(std::uint64_t hash, std::string_view key, bool want_payload,
                             Record& record) const {
  for (const auto* generation : {static_cast<const Generation*>(now_.get()), before_.get()}) {
    if (generation == nullptr)
      break;
    const auto* entry = generation->find(hash, key);
    const auto* known = entry == nullptr ? nullptr : &entry->slot;
    if (known != nullptr && !known->present)
      return Known::absent;
    if (known != nullptr && (known->has_payload || !want_payload)) {
      record = known->record;
      return Known::present;
    }
    if (known == nullptr && generation->erased_all)
      return Known::absent;
  }
  return Known::unknown;
}

Overlay::Reach Overlay::reach(std::uint64_t hash, std::string_view key,
                              std::uint64_t most_payload_bytes) const {
  // To remove a deadline of the database may mean to look there for the next one.
  const auto judge = [&](bool present, const Meta& meta) {
    const bool fits =
        meta.payload_bytes <= most_payload_bytes && (meta.expire_at_ms == 0 || database_first_ms_ == 0);
    return !present || fits ? Reach::at_hand : Reach::too_much;
  };
  for (const auto* generation : {static_cast<const Generation*>(now_.get()), before_.get()}) {
    if (generation == nullptr)
      break;
    const auto* entry = generation->find(hash, key);
    if (entry == nullptr && generation->erased_all)
      return Reach::at_hand;
    if (entry != nullptr && (!entry->slot.present || entry->slot.has_payload))
      return judge(entry->slot.present, entry->slot.record.meta);
  }
  const auto* line = cache_.find(hash, key);
  return line == nullptr ? Reach::unknown : judge(line->present, line->record.meta);
}

bool Overlay::at_hand(std::string_view key, std::uint64_t most_payload_bytes) {
  const auto hash = key_hash(key);
  // Only of a key that is unknown here the database is right.
  if (const auto known = reach(hash, key, most_payload_bytes); known != Reach::unknown)
    return known == Reach::at_hand;
  const auto found = database_.get_in_memory(key_row(hash, key), value_);
  if (!found)
    return false;
  Meta meta;
  std::string_view payload;
  if (!*found)
    cache_.put_absent(hash, key);
  else if (data_format::decode_record({value_.data(), value_.size()}, meta, payload))
    cache_.put(hash, key, meta, payload);
  // A large one is not kept there; to ask again could find it gone from memory.
  return reach(hash, key, most_payload_bytes) == Reach::at_hand;
}

std::optional<Meta> Overlay::meta(std::string_view key) {
  const auto& s = slot(key, false).slot;
  if (!alive(s))
    return std::nullopt;
  return s.record.meta;
}

std::optional<Record> Overlay::get(std::string_view key) {
  const auto& s = slot(key, true).slot;
  if (!alive(s))
    return std::nullopt;
  return s.record;
}

void Overlay::mark_changed(Generation::Entry& entry) {
  if (entry.slot.changed)
    return;
  entry.slot.changed = true;
  now_->changed.push_back(&entry);
  // Once both generations that know better are gone, the database is asked.
  if (!KIWI_MUTANT(cache_keeps_deleted))
    cache_.forget(entry.hash, entry.key);
}

void Overlay::remove(Generation::Entry& entry) {
  auto& s = entry.slot;
  KIWI_ASSERT(s.present, "only a present key is removed");
  mark_changed(entry);
  if (s.record.meta.expire_at_ms != 0)
    remove_deadline(s.record.meta.expire_at_ms, entry.key);
  if (s.has_payload)
    now_->bytes -= std::min<std::uint64_t>(now_->bytes, s.record.payload.size());
  s.present = false;
  s.has_payload = false;
  s.record = {};
  KIWI_ASSERT(state_.keys > 0, "the number of keys fits the rows");
  --state_.keys;
}

void Overlay::put(std::string_view key, Record record) {
  auto& entry = slot(key, false);
  auto& s = entry.slot;
  if (record.meta.expire_at_ms != 0 && record.meta.expire_at_ms <= state_.clock_ms) {
    if (s.present)
      remove(entry);
    return;
  }
  mark_changed(entry);
  const auto old_deadline = s.present ? s.record.meta.expire_at_ms : 0;
  if (old_deadline != record.meta.expire_at_ms) {
    if (old_deadline != 0)
      remove_deadline(old_deadline, entry.key);
    if (record.meta.expire_at_ms != 0)
      add_deadline(record.meta.expire_at_ms, entry.key);
  }
  if (!s.present)
    ++state_.keys;
  if (s.has_payload)
    now_->bytes -= std::min<std::uint64_t>(now_->bytes, s.record.payload.size());
  s.present = true;
  s.has_payload = true;
  s.record = std::move(record);
  // A window into an entry would keep the buffer of a whole batch alive for as long as this generation.
  s.record.payload = Bytes::copy_of(s.record.payload.view());
  s.record.meta.written_ms = state_.clock_ms;
  s.record.meta.payload_bytes = s.record.payload.size();
  now_->bytes += s.record.payload.size();
}

bool Overlay::erase(std::string_view key) {
  auto& entry = slot(key, false);
  if (!entry.slot.present)
    return false;
  const bool existed = alive(entry.slot);
  remove(entry);
  return existed;
}

void Overlay::erase_all() {
  if (state_.keys == 0)
    return;  // nothing is there, in the database or here, that a later lookup could find
  now_ = std::make_shared<Generation>();
  now_->erased_all = true;
  before_.reset();
  cache_.clear();
  index_.reset();
  database_first_ms_ = 0;
  first_unsure_ = false;
  state_.keys = 0;
  state_.keys_with_expiry = 0;
}

std::uint64_t Overlay::remove_expired(std::uint64_t limit) {
  std::uint64_t removed = 0;
  while (removed < limit) {
    const auto first = first_deadline();
    if (first == 0 || first > state_.clock_ms)
      break;
    const auto expiry = first_expiry();
    KIWI_ASSERT(expiry.has_value(), "a first deadline belongs to a row of the index");
    auto& entry = slot(expiry->second, false);
    if (!entry.slot.present || entry.slot.record.meta.expire_at_ms != expiry->first)
      damaged("the index of deadlines names a key that has no such deadline");
    remove(entry);
    ++removed;
  }
  return removed;
}

void Overlay::add_deadline(std::uint64_t deadline_ms, const std::string& key) {
  ++state_.keys_with_expiry;
  Deadline deadline{deadline_ms, key};
  if (now_->removed.erase(deadline) != 0) {
    // The iterator may have gone past this row; it may be the database's first again.
    index_.reset();
    if (database_first_ms_ == 0 || deadline_ms < database_first_ms_)
      database_first_ms_ = deadline_ms;
  } else {
    now_->added.insert(std::move(deadline));
  }
  now_->bytes += kDeadlineOverheadBytes + key.size();
}

void Overlay::remove_deadline(std::uint64_t deadline_ms, const std::string& key) {
  KIWI_ASSERT(state_.keys_with_expiry > 0, "the number of deadlines fits the rows");
  --state_.keys_with_expiry;
  Deadline deadline{deadline_ms, key};
  if (now_->added.erase(deadline) != 0)
    return;
  now_->removed.insert(std::move(deadline));
  now_->bytes += kDeadlineOverheadBytes + key.size();
  // Every row of the database before the known first one is removed already, so only that one matters.
  first_unsure_ = first_unsure_ || deadline_ms <= database_first_ms_;
}

std::optional<Overlay::Deadline> Overlay::first_in_database() {
  if (now_->erased_all || database_first_ms_ == 0)
    return std::nullopt;
  if (!index_) {
    wait_written_();
    static const std::string upper(1, data_format::kExpirySpace + 1);
    static const rocksdb::Slice upper_slice(upper);
    index_ = database_.iterate(nullptr, &upper_slice);
    index_->Seek(data_format::expiry_row(database_first_ms_, {}));
  }
  for (; index_->Valid(); index_->Next()) {
    const auto parts = data_format::parse_expiry_row(index_->key().ToStringView());
    if (!parts)
      damaged("a row of the index of deadlines cannot be decoded");
    Deadline deadline{parts->deadline_ms, std::string(parts->key)};
    if (!now_->removed.contains(deadline)) {
      database_first_ms_ = deadline.first;
      first_unsure_ = false;
      return deadline;
    }
  }
  if (!index_->status().ok())
    throw StorageFailure(state_machine_error(StorageVerb::read, index_->status(), "index of deadlines"));
  database_first_ms_ = 0;
  first_unsure_ = false;
  return std::nullopt;
}

std::optional<Overlay::Deadline> Overlay::first_expiry() {
  auto first = first_in_database();
  if (!now_->added.empty() && (!first || *now_->added.begin() < *first))
    first = *now_->added.begin();
  return first;
}

std::uint64_t Overlay::first_deadline() {
  if (first_unsure_) {
    const auto first = first_expiry();
    return first ? first->first : 0;
  }
  if (now_->added.empty())
    return database_first_ms_;
  const auto added = now_->added.begin()->first;
  return database_first_ms_ == 0 ? added : std::min(added, database_first_ms_);
}

void Overlay::load_first_deadline() {
  database_first_ms_ = 1;  // deadlines are at least 1: search from the beginning
  first_in_database();
  index_.reset();
}

std::shared_ptr<const Generation> Overlay::end_generation(std::shared_ptr<const Generation>& old) {
  const auto first = first_deadline();
  auto next = std::make_shared<Generation>();
  next->expect(now_->size());  // it will be about as large: no growing in between
  // From here on nothing fails.
  old = std::exchange(before_, std::exchange(now_, std::move(next)));
  index_.reset();
  database_first_ms_ = first;
  first_unsure_ = false;
  return before_;
}

void Overlay::walk(std::uint64_t from_hash, const Visitor& visit) {
  // The changed slots in the order of the rows, merged with the rows of the database that they do not hide.
  wait_written_();
  const auto changed = now_->changed_in_order(from_hash);
  KeyCursor rows(database_, from_hash);
  bool more_rows = !now_->erased_all && rows.next();
  auto next_changed = changed.begin();
  while (more_rows || next_changed != changed.end()) {
    const bool take_row = more_rows && (next_changed == changed.end() ||
                                        std::pair<std::uint64_t, std::string_view>(rows.hash(), rows.key()) <
                                            std::pair<std::uint64_t, std::string_view>((*next_changed)->hash,
                                                                                       (*next_changed)->key));
    if (take_row) {
      const auto deadline = rows.meta().expire_at_ms;
      if ((deadline == 0 || deadline > state_.clock_ms) && !visit(rows.hash(), rows.key(), rows.meta()))
        return;
      more_rows = rows.next();
      continue;
    }
    const auto& entry = **next_changed;
    if (more_rows && rows.hash() == entry.hash && rows.key() == entry.key)
      more_rows = rows.next();
    if (alive(entry.slot) && !visit(entry.hash, entry.key, entry.slot.record.meta))
      return;
    ++next_changed;
  }
}

}  // namespace kiwi
