#include "messages/reply.hpp"

namespace kiwi {

namespace {
Reply with_text(Reply::Type type, Bytes text) {
  Reply r;
  r.type = type;
  r.text = std::move(text);
  return r;
}
Reply with_elements(Reply::Type type, std::vector<Reply> elements) {
  Reply r;
  r.type = type;
  r.elements = std::move(elements);
  return r;
}
}  // namespace

Reply Reply::ok() { return with_text(Type::simple, Bytes(nullptr, "OK")); }
Reply Reply::simple(std::string text) { return with_text(Type::simple, Bytes(std::move(text))); }
Reply Reply::error(std::string text) { return with_text(Type::error, Bytes(std::move(text))); }
Reply Reply::bulk(std::string text) { return with_text(Type::bulk, Bytes(std::move(text))); }
Reply Reply::bulk(Bytes text) { return with_text(Type::bulk, std::move(text)); }
Reply Reply::nil_array() { return with_elements(Type::nil_array, {}); }
Reply Reply::array(std::vector<Reply> elements) { return with_elements(Type::array, std::move(elements)); }
Reply Reply::map(std::vector<Reply> pairs) { return with_elements(Type::map, std::move(pairs)); }
Reply Reply::set(std::vector<Reply> elements) { return with_elements(Type::set, std::move(elements)); }
Reply Reply::number(std::string formatted) { return with_text(Type::number, Bytes(std::move(formatted))); }
Reply Reply::boolean(bool b) {
  Reply r;
  r.type = Type::boolean;
  r.integer = b ? 1 : 0;
  return r;
}
Reply Reply::verbatim(std::string text) { return with_text(Type::verbatim, Bytes(std::move(text))); }

std::uint64_t weight_bytes(const Reply& reply) {
  std::uint64_t bytes = reply.text.size() + 16;
  for (const auto& element : reply.elements) bytes += weight_bytes(element);
  return bytes;
}

}  // namespace kiwi
