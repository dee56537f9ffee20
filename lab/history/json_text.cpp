#include "lab/history/json_text.hpp"

#include <cstdint>
#include <utility>

namespace kiwi::lab::history {
namespace {

using Type = Reply::Type;

// Well-formed UTF-8 as of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xc2 ? 0
                               : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3
                               : lead < 0xf5 ? 4
                                             : 0;
    if (length == 0 || i + length > text.size())
      return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80)
        return false;
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    i += length;
  }
  return true;
}

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

struct TypeName {
  Type type;
  const char* name;
};
constexpr TypeName kTextTypes[] = {{Type::simple, "simple"},
                                   {Type::error, "error"},
                                   {Type::bulk, "bulk"},
                                   {Type::number, "number"},
                                   {Type::verbatim, "verbatim"}};
constexpr TypeName kListTypes[] = {{Type::array, "array"}, {Type::map, "map"}, {Type::set, "set"}};
constexpr TypeName kEmptyTypes[] = {{Type::nil, "nil"}, {Type::nil_array, "nil_array"}};

tl::expected<Reply, std::string> reply_at(const Json& json, int depth);

tl::expected<Reply, std::string> list_at(Type type, const Json& json, int depth) {
  if (!json.is_array())
    return tl::make_unexpected("the elements of a reply are an array");
  if (depth >= kMaxReplyDepth)
    return tl::make_unexpected("a reply is nested too deeply");
  if (type == Type::map && json.size() % 2 != 0)
    return tl::make_unexpected("a map has keys and values in turn");
  Reply reply;
  reply.type = type;
  reply.elements.reserve(json.size());
  for (const auto& element : json) {
    auto one = reply_at(element, depth + 1);
    if (!one)
      return one;
    reply.elements.push_back(std::move(*one));
  }
  return reply;
}

tl::expected<Reply, std::string> reply_at(const Json& json, int depth) {
  if (!json.is_object() || json.size() != 1)
    return tl::make_unexpected("a reply is an object with one field, its type");
  const auto& name = json.begin().key();
  const auto& value = json.begin().value();
  Reply reply;
  for (const auto& known : kTextTypes)
    if (name == known.name) {
      auto text = bytes_from_json(value);
      if (!text)
        return tl::make_unexpected(text.error());
      reply.type = known.type;
      reply.text = Bytes(std::move(*text));
      return reply;
    }
  for (const auto& known : kListTypes)
    if (name == known.name)
      return list_at(known.type, value, depth);
  for (const auto& known : kEmptyTypes)
    if (name == known.name) {
      if (value != Json(true))
        return tl::make_unexpected("a reply without content has the value true");
      reply.type = known.type;
      return reply;
    }
  if (name == "integer") {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}))
      return tl::make_unexpected("an integer reply is a signed 64-bit number");
    return Reply::of(value.get<std::int64_t>());
  }
  if (name == "boolean") {
    if (!value.is_boolean())
      return tl::make_unexpected("a boolean reply is true or false");
    return Reply::boolean(value.get<bool>());
  }
  return tl::make_unexpected("unknown type of reply");
}

}  // namespace

Json bytes_to_json(std::string_view bytes) {
  if (is_utf8(bytes))
    return Json(std::string(bytes));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return Json{{"hex", std::move(hex)}};
}

tl::expected<std::string, std::string> bytes_from_json(const Json& json) {
  if (json.is_string())
    return json.get<std::string>();
  if (!json.is_object() || json.size() != 1 || !json.contains("hex") || !json["hex"].is_string())
    return tl::make_unexpected(R"(bytes are a string, or {"hex": "..."})");
  const auto& hex = json["hex"].get_ref<const std::string&>();
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0)
      return tl::make_unexpected("hex digits are 0-9 and a-f");
    bytes += static_cast<char>(high * 16 + low);
  }
  if (hex.size() % 2 != 0)
    return tl::make_unexpected("hex digits come in pairs");
  return bytes;
}

Json reply_to_json(const Reply& reply) {
  for (const auto& known : kTextTypes)
    if (reply.type == known.type)
      return Json{{known.name, bytes_to_json(reply.text.view())}};
  for (const auto& known : kEmptyTypes)
    if (reply.type == known.type)
      return Json{{known.name, true}};
  for (const auto& known : kListTypes)
    if (reply.type == known.type) {
      auto elements = Json::array();
      for (const auto& element : reply.elements) elements.push_back(reply_to_json(element));
      return Json{{known.name, std::move(elements)}};
    }
  if (reply.type == Type::boolean)
    return Json{{"boolean", reply.integer != 0}};
  return Json{{"integer", reply.integer}};
}

tl::expected<Reply, std::string> reply_from_json(const Json& json) { return reply_at(json, 0); }

}  // namespace kiwi::lab::history
