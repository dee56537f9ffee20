#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "messages/bytes.hpp"

namespace kiwi {

/// A Redis reply before it is written as RESP2 or RESP3 (resp_writer.hpp decides what each becomes).
struct Reply {
  static constexpr const char* name = "Reply";
  enum class Type : std::uint8_t {
    simple,     // +text
    error,      // -text, text begins with the upper-case code: "ERR ...", "WRONGTYPE ..."
    integer,    // :integer
    bulk,       // $text
    nil,        // RESP2 $-1, RESP3 _
    nil_array,  // RESP2 *-1, RESP3 _
    array,      // *elements
    map,        // RESP2 flat array, RESP3 %; elements are key, value, key, value, ...
    set,        // RESP2 array, RESP3 ~
    number,     // a double: RESP2 bulk, RESP3 ,  (text holds it already formatted)
    boolean,    // RESP2 :0 or :1, RESP3 #f or #t
    verbatim,   // RESP2 bulk, RESP3 =txt:
  };
  Type type = Type::nil;
  std::int64_t integer = 0;
  Bytes text;
  std::vector<Reply> elements;
  auto fields() { return std::tie(type, integer, text, elements); }
  friend bool operator==(const Reply&, const Reply&) = default;

  static Reply ok();  // +OK without an allocation
  static Reply simple(std::string text);
  static Reply error(std::string text);
  static Reply of(std::int64_t n) {
    Reply r;
    r.type = Type::integer;
    r.integer = n;
    return r;
  }
  static Reply bulk(std::string text);
  static Reply bulk(Bytes text);
  static Reply nil() { return {}; }
  static Reply nil_array();
  static Reply array(std::vector<Reply> elements);
  static Reply map(std::vector<Reply> pairs);
  static Reply set(std::vector<Reply> elements);
  static Reply number(std::string formatted);
  static Reply boolean(bool b);
  static Reply verbatim(std::string text);
  bool is_error() const { return type == Type::error; }
};

/// About what a reply weighs in memory beyond its own size, for limits.
std::uint64_t weight_bytes(const Reply& reply);

}  // namespace kiwi
