#include "statemachine/engine/key_cursor.hpp"

#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {
namespace {

const std::string kUpper(1, data_format::kKeySpace + 1);
const rocksdb::Slice kUpperSlice(kUpper);

}  // namespace

KeyCursor::KeyCursor(Database& database, std::uint64_t from_hash)
    : rows_(database.iterate(nullptr, &kUpperSlice)), from_hash_(from_hash) {}

bool KeyCursor::next() {
  if (started_)
    rows_->Next();
  else
    rows_->Seek(data_format::key_row_from(from_hash_));
  started_ = true;
  if (!rows_->Valid()) {
    if (!rows_->status().ok())
      throw StorageFailure(state_machine_error(StorageVerb::read, rows_->status(), "walk over the keys"));
    return false;
  }
  const auto parts = data_format::parse_key_row(rows_->key().ToStringView());
  std::string_view payload;
  if (!parts || !data_format::decode_record(rows_->value().ToStringView(), meta_, payload))
    throw StorageFailure(state_machine_error(StorageVerb::read, StorageKind::corruption,
                                             "the record of a key cannot be decoded"));
  hash_ = parts->hash;
  key_ = parts->key;
  return true;
}

}  // namespace kiwi
