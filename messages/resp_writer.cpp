#include "messages/resp_writer.hpp"

#include <charconv>
#include <cstdint>
#include <string_view>

#include "messages/assert.hpp"

namespace kiwi {

namespace {

/// "<mark><number>\r\n" in one append.
void write_number(char mark, std::int64_t number, std::string& out) {
  char text[24];
  text[0] = mark;
  char* end = std::to_chars(text + 1, text + sizeof text - 2, number).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(text, end);
}

void write_line(char mark, std::string_view text, std::string& out) {
  out.push_back(mark);
  const std::size_t start = out.size();
  out.append(text);
  if (text.find_first_of("\r\n") != std::string_view::npos)
    for (std::size_t i = start; i < out.size(); ++i)
      if (out[i] == '\r' || out[i] == '\n')
        out[i] = ' ';
  out.append("\r\n", 2);
}

void write_bulk(std::string_view text, std::string& out) {
  write_number('$', static_cast<std::int64_t>(text.size()), out);
  out.append(text);
  out.append("\r\n", 2);
}

void write_verbatim(std::string_view text, std::string& out) {
  write_number('=', static_cast<std::int64_t>(text.size() + 4), out);
  out.append("txt:", 4);
  out.append(text);
  out.append("\r\n", 2);
}

void write_elements(char mark, std::size_t count, const Reply& reply, RespVersion version, std::string& out) {
  write_number(mark, static_cast<std::int64_t>(count), out);
  for (const auto& element : reply.elements) write_reply(element, version, out);
}

}  // namespace

void write_reply(const Reply& reply, RespVersion version, std::string& out) {
  const bool resp3 = version == RespVersion::resp3;
  switch (reply.type) {
    case Reply::Type::simple:
      return write_line('+', reply.text.view(), out);
    case Reply::Type::error:
      return write_line('-', reply.text.view(), out);
    case Reply::Type::integer:
      return write_number(':', reply.integer, out);
    case Reply::Type::bulk:
      return write_bulk(reply.text.view(), out);
    case Reply::Type::nil:
      out.append(resp3 ? "_\r\n" : "$-1\r\n");
      return;
    case Reply::Type::nil_array:
      out.append(resp3 ? "_\r\n" : "*-1\r\n");
      return;
    case Reply::Type::array:
      return write_elements('*', reply.elements.size(), reply, version, out);
    case Reply::Type::map:
      KIWI_ASSERT(reply.elements.size() % 2 == 0, "a map reply has a key without a value");
      if (resp3)
        return write_elements('%', reply.elements.size() / 2, reply, version, out);
      return write_elements('*', reply.elements.size(), reply, version, out);
    case Reply::Type::set:
      return write_elements(resp3 ? '~' : '*', reply.elements.size(), reply, version, out);
    case Reply::Type::number:
      return resp3 ? write_line(',', reply.text.view(), out) : write_bulk(reply.text.view(), out);
    case Reply::Type::boolean:
      if (resp3)
        out.append(reply.integer != 0 ? "#t\r\n" : "#f\r\n");
      else
        write_number(':', reply.integer != 0 ? 1 : 0, out);
      return;
    case Reply::Type::verbatim:
      return resp3 ? write_verbatim(reply.text.view(), out) : write_bulk(reply.text.view(), out);
  }
  KIWI_ASSERT(false, "a reply of no known type");
}

}  // namespace kiwi
