#pragma once

// What is in the batches of a write-ahead log. Which rows are hurt, for a message to an operator: every row
// carries a checksum of its own, so rows can be told apart even where RocksDB's checksum only says that
// something is wrong. Nothing is decided by what is said about rows.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kiwi::storage {

/// "entry 17", "the vote and the ends of the log", ...
std::string name_of_row(std::string_view key);
/// What is wrong with the row by its own checksum. Nothing: it is whole.
std::optional<std::string> fault_of_row(std::string_view key, std::string_view value);

/// The bad rows in the batch that begins at `offset` of a write-ahead-log file, read without RocksDB's
/// checksums. Empty when its framing is what is hurt, or only bytes that no row has.
std::vector<std::string> bad_rows_of_batch(std::string_view file, std::uint64_t offset);

/// Of the good batch that begins at `offset`: what is wrong with the column families that its operations
/// name, or with an operation that no log of this format has. Empty: nothing.
std::string foreign_family_in_batch(std::string_view file, std::uint64_t offset, std::uint32_t format);

}  // namespace kiwi::storage
