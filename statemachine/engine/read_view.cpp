#include "statemachine/engine/read_view.hpp"

#include "statemachine/engine/key_cursor.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {

bool ReadView::alive(const Meta& meta) {
  if (meta.expire_at_ms == 0)
    return true;
  if (meta.expire_at_ms <= state_.clock_ms)
    return false;
  if (meta.expire_at_ms > now_ms_)
    return true;
  needs_tick_ms_ = now_ms_;
  return false;
}

bool ReadView::load(std::string_view key, Record& record, bool want_payload) {
  if (state_.keys == 0)
    return false;
  const auto hash = data_format::key_hash(key);
  if (const auto known = overlay_.look(hash, key, want_payload, record); known != Overlay::Known::unknown)
    return known == Overlay::Known::present;
  if (const auto* line = cache_.find(hash, key)) {
    record = line->record;
    return line->present;
  }
  if (!database_.get(data_format::key_row(hash, key), value_)) {
    cache_.put_absent(hash, key);
    return false;
  }
  std::string_view payload;
  if (!data_format::decode_record({value_.data(), value_.size()}, record.meta, payload))
    throw StorageFailure(state_machine_error(StorageVerb::read, StorageKind::corruption,
                                             "the record of a key cannot be decoded"));
  cache_.put(hash, key, record.meta, payload);
  if (want_payload)
    record.payload = Bytes::copy_of(payload);
  return true;
}

std::optional<Record> ReadView::find(std::string_view key, bool want_payload) {
  Record record;
  const bool exists = load(key, record, want_payload) && alive(record.meta);
  ++(exists ? counts_.hits : counts_.misses);
  return exists ? std::optional(std::move(record)) : std::nullopt;
}

std::optional<Meta> ReadView::meta(std::string_view key) {
  const auto record = find(key, false);
  return record ? std::optional(record->meta) : std::nullopt;
}

std::optional<Record> ReadView::get(std::string_view key) { return find(key, true); }

void ReadView::walk(std::uint64_t from_hash, const Visitor& visit) {
  if (state_.keys == 0)
    return;
  write_all_();
  KeyCursor rows(database_, from_hash);
  while (rows.next()) {
    if (!alive(rows.meta()))
      continue;
    if (!visit(rows.hash(), rows.key(), rows.meta()))
      return;
  }
}

}  // namespace kiwi
