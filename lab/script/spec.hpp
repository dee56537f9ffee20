#pragma once

// What a value must look like: one vocabulary for the arguments of verbs, for the keys of cluster and load
// lines, and for predicates. Parser, errors, help and the reference page are made from it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kiwi::lab::script {

enum class ValueType {
  number,           // 7
  fraction,         // 1.05
  probability,      // 0.3 or 30%
  duration,         // 500ms
  signed_duration,  // -2s
  duration_range,   // 150ms..300ms; one duration stands for both ends
  bytes,            // 64KB
  byte_rate,        // 1MB/s
  rate,             // 200/s
  choice,           // one word of `choices`
  name,             // see is_name()
  weights,          // "get 50, set 50"
  file_class,       // a word of kFileClasses, or a path with a '/' in it, below the node's directory
  message_kind,     // a word of kMessageKinds
  text,             // anything
};

/// What files are: all of them, all of one database, or one kind of file of it.
inline constexpr std::string_view kFileClasses =
    "any|log|data|log-wal|log-table|log-manifest|log-marker|data-wal|data-table|data-manifest|data-marker";
/// The messages between nodes (messages/peer_messages.hpp); the responses of the code are the replies here,
/// an InstallSnapshotRequest is a `snapshot`.
inline constexpr std::string_view kMessageKinds =
    "any|append|append-reply|vote|vote-reply|pre-vote|pre-vote-reply|heartbeat|heartbeat-reply|snapshot|"
    "snapshot-reply|snapshot-fetch|snapshot-part|timeout-now";
/// Calls on files that faults and `when disk` can name.
inline constexpr std::string_view kDiskCalls = "any|read|write|sync|sync-dir|create|rename|remove";

/// One positional word, or one key=value.
struct ValueSpec {
  std::string_view name;
  ValueType type = ValueType::text;
  std::string_view choices =
      {};  // "a|b|c"; choice: all there are; rate: words beside; weights: names there are
  bool required = false;
  /// As it would be written; empty: there is none, and leaving it out means what `summary` says.
  std::string_view fallback = {};
  std::string_view summary = {};
  /// Positional words: it may stand any number of times (the last one of a row only).
  bool repeated = false;
  /// Types number, bytes and byte_rate: bounds; the upper one for numbers only.
  std::uint64_t least = 0;
  std::uint64_t most = UINT64_MAX;
};

/// Nothing: `text` is such a value. Else what was expected, as "a duration such as 500ms".
std::optional<std::string> wrong_value(const ValueSpec& spec, std::string_view text);
/// "a duration such as 500ms", "one of: a, b, c".
std::string expectation(const ValueSpec& spec);
/// For tables of the reference: "duration", "a, b or c".
std::string type_name(const ValueSpec& spec);
/// `choices` contains `word`, as a whole.
bool has_choice(std::string_view choices, std::string_view word);

}  // namespace kiwi::lab::script
