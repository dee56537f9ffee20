#include "lab/report/text.hpp"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "messages/assert.hpp"

namespace kiwi::lab::report {
namespace {

/// Of the UTF-8 character that `text` begins with, in bytes; 0: none begins here.
std::size_t character_at(std::string_view text, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    code = lead;
    return 1;
  }
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) {
    return 0;
  }
  code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
    code = code << 6 | (byte(i) & 0x3fU);
  }
  const std::uint32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  const bool legal = code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return legal ? size : 0;
}

/// Control characters, and those that make a text look like another one.
bool deceives(std::uint32_t code) {
  return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) || code == 0xfeff ||
         (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f);
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  char buffer[16];
  for (std::size_t i = 0; i < text.size();) {
    std::uint32_t code = 0;
    const std::size_t size = character_at(text.substr(i), code);
    if (size == 0) {
      std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned char>(text[i]));
      out += buffer;
      ++i;
      continue;
    }
    if (deceives(code)) {
      std::snprintf(buffer, sizeof buffer, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
      out += buffer;
    } else if (code == '&') {
      out += "&amp;";
    } else if (code == '<') {
      out += "&lt;";
    } else if (code == '>') {
      out += "&gt;";
    } else if (code == '"') {
      out += "&quot;";
    } else if (code == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(i, size);
    }
    i += size;
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return std::string(text);
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) {
    --bytes;
  }
  return std::string(text.substr(0, bytes)) + "...";
}

std::string script_json(const nlohmann::json& json) {
  const std::string text = json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    // In JSON these stand in strings only.
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string fill(std::string_view page, const std::map<std::string, std::string>& values) {
  std::string out;
  while (true) {
    const auto open = page.find("{{");
    out += page.substr(0, open);
    if (open == std::string_view::npos) {
      return out;
    }
    const auto close = page.find("}}", open);
    KIWI_ASSERT(close != std::string_view::npos, "a place in a page ends");
    const auto value = values.find(std::string(page.substr(open + 2, close - open - 2)));
    KIWI_ASSERT(value != values.end(), "every place in a page has a value");
    out += value->second;
    page.remove_prefix(close + 2);
  }
}

std::string decimal(double value, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  std::string text = buffer;
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') {
      text.pop_back();
    }
  }
  return text == "-0" ? "0" : text;
}

std::string seconds_text(Time time) {
  const double seconds = std::chrono::duration<double>(time).count();
  return decimal(seconds, std::abs(seconds) < 0.01 ? 6 : 3) + " s";
}

std::string exact_seconds_text(Time time) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.6f s", std::chrono::duration<double>(time).count());
  return buffer;
}

std::string duration_text(Time time) {
  const double us = std::chrono::duration<double, std::micro>(time).count();
  const auto digits = [](double value) { return value >= 100 ? 0 : value >= 10 ? 1 : 2; };
  if (us >= 1e6) {
    return decimal(us / 1e6, digits(us / 1e6)) + " s";
  }
  if (us >= 1e3) {
    return decimal(us / 1e3, digits(us / 1e3)) + " ms";
  }
  return decimal(us, digits(us)) + " us";
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) {
    text.insert(i - 3, 1, ',');
  }
  return text;
}

}  // namespace kiwi::lab::report
