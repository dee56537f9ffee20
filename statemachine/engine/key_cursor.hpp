#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "statemachine/data_format.hpp"
#include "statemachine/engine/database.hpp"

namespace kiwi {

/// Walks over the rows of space 'k' in the order of hash and key, as they are in the database now. Rows whose
/// time has passed are among them. Throws StorageFailure.
class KeyCursor {
 public:
  KeyCursor(Database& database, std::uint64_t from_hash);
  /// To the first row, then to the next one. False: there is none. The parts are valid until the next call.
  bool next();
  std::uint64_t hash() const { return hash_; }
  std::string_view key() const { return key_; }
  const data_format::Meta& meta() const { return meta_; }

 private:
  std::unique_ptr<rocksdb::Iterator> rows_;
  std::uint64_t from_hash_;
  bool started_ = false;
  std::uint64_t hash_ = 0;
  std::string_view key_;
  data_format::Meta meta_;
};

}  // namespace kiwi
