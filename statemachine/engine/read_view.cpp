#include "statemachine/engine/read_view.hpp"

#include "statemachine/engine/key_cursor.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {

bool ReadView::alive(const Meta& meta) {
  if (meta.expire_at_ms == 0)
    return true;
  if (meta.expire_at_ms <= state_.clock_ms)
    return false;
  if (meta.expire_at_ms <= now_ms_)
    needs_tick_ms_ = now_ms_;
  return true;
}

bool ReadView::load(std::string_view key, Meta& meta, std::string_view& payload) {
  const bool found =
      state_.keys != 0 && database_.get(data_format::key_row(data_format::key_hash(key), key), value_);
  if (found && !data_format::decode_record({value_.data(), value_.size()}, meta, payload))
    throw StorageFailure(state_machine_error(StorageVerb::read, StorageKind::corruption,
                                             "the record of a key cannot be decoded"));
  const bool exists = found && alive(meta);
  ++(exists ? counts_.hits : counts_.misses);
  return exists;
}

std::optional<Meta> ReadView::meta(std::string_view key) {
  Meta meta;
  std::string_view payload;
  if (!load(key, meta, payload))
    return std::nullopt;
  return meta;
}

std::optional<Record> ReadView::get(std::string_view key) {
  Record record;
  std::string_view payload;
  if (!load(key, record.meta, payload))
    return std::nullopt;
  record.payload = Bytes::copy_of(payload);
  return record;
}

void ReadView::walk(std::uint64_t from_hash, const Visitor& visit) {
  if (state_.keys == 0)
    return;
  KeyCursor rows(database_, from_hash);
  while (rows.next()) {
    if (!alive(rows.meta()))
      continue;
    if (needs_tick_ms_ != 0 || !visit(rows.hash(), rows.key(), rows.meta()))
      return;
  }
}

}  // namespace kiwi
