#pragma once

// Keys as a reading command sees them. Two views exist: over the applied state at the time of a query
// (read_view.hpp), and over the state in the middle of an apply (overlay.hpp). Handlers know neither, so a
// read can also run inside the log.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "statemachine/data_format.hpp"

namespace kiwi {

using data_format::Meta;
using data_format::Record;
using data_format::StringEncoding;
using data_format::ValueType;

/// A key whose deadline has passed by the view's time does not exist, though its bytes may still be there.
class KeyView {
 public:
  virtual ~KeyView() = default;

  virtual std::optional<Meta> meta(std::string_view key) = 0;
  virtual std::optional<Record> get(std::string_view key) = 0;

  /// Visits existing keys in the order of their hash, then of their bytes, from the first whose hash is at
  /// least `from_hash`, until the visitor returns false. The view must not be changed meanwhile.
  using Visitor = std::function<bool(std::uint64_t hash, std::string_view key, const Meta& meta)>;
  virtual void walk(std::uint64_t from_hash, const Visitor& visit) = 0;

  /// As Redis' DBSIZE: includes keys whose time has passed but which are not removed yet.
  virtual std::uint64_t key_count() const = 0;
};

}  // namespace kiwi
