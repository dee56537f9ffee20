#include "lab/script/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace kiwi::lab::script {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};
constexpr std::array<Unit, 6> kTimeUnits{{{"h", 3'600'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"s", 1'000'000'000},
                                          {"ms", 1'000'000},
                                          {"us", 1'000},
                                          {"ns", 1}}};
constexpr std::array<Unit, 4> kByteUnits{{{"", 1}, {"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}}};
constexpr std::int64_t kMaxTime = 100LL * 24 * 3'600 * 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "12.5" as a whole part and nine digits of fraction. At most nine digits before and after the point.
struct Decimal {
  std::int64_t whole = 0;
  std::int64_t billionths = 0;
};
std::optional<Decimal> read_decimal(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto rest = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() > 9 || rest.size() > 9 ||
      (point != std::string_view::npos && rest.empty()) || (whole.size() > 1 && whole.front() == '0') ||
      !std::ranges::all_of(whole, is_digit) || !std::ranges::all_of(rest, is_digit)) {
    return std::nullopt;
  }
  Decimal result;
  for (const char c : whole) {
    result.whole = result.whole * 10 + (c - '0');
  }
  for (std::size_t i = 0; i < 9; ++i) {
    result.billionths = result.billionths * 10 + (i < rest.size() ? rest[i] - '0' : 0);
  }
  return result;
}

}  // namespace

std::optional<Time> read_duration(std::string_view text) {
  if (text == "0") {
    return Time(0);
  }
  const auto end = text.find_first_not_of("0123456789.");
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  // Whole nanoseconds of a long run have more digits than a decimal takes.
  const auto unit = std::ranges::find(kTimeUnits, text.substr(end), &Unit::name);
  if (unit == kTimeUnits.end()) {
    return std::nullopt;
  }
  if (const auto whole = read_number(text.substr(0, end))) {
    if (*whole > static_cast<std::uint64_t>(kMaxTime / unit->size)) {
      return std::nullopt;
    }
    return Time(static_cast<std::int64_t>(*whole) * unit->size);
  }
  const auto decimal = read_decimal(text.substr(0, end));
  if (!decimal || decimal->whole > kMaxTime / unit->size) {
    return std::nullopt;
  }
  // At most 3.6e12 times 1e9: the fraction is scaled in two steps, so that nothing overflows.
  const std::int64_t fraction = unit->size >= 1'000'000'000
                                    ? decimal->billionths * (unit->size / 1'000'000'000)
                                    : decimal->billionths / (1'000'000'000 / unit->size);
  if (unit->size < 1'000'000'000 && decimal->billionths % (1'000'000'000 / unit->size) != 0) {
    return std::nullopt;  // finer than a nanosecond
  }
  const Time result(decimal->whole * unit->size + fraction);
  return result.count() > kMaxTime ? std::nullopt : std::optional(result);
}

std::optional<Time> read_signed_duration(std::string_view text) {
  if (!text.starts_with('-')) {
    return read_duration(text);
  }
  const auto positive = read_duration(text.substr(1));
  return positive ? std::optional(-*positive) : std::nullopt;
}

std::string write_duration(Time time) {
  const std::int64_t count = time.count();
  for (const auto& unit : std::array<Unit, 4>{kTimeUnits[2], kTimeUnits[3], kTimeUnits[4], kTimeUnits[5]}) {
    if (count % unit.size == 0) {
      return std::to_string(count / unit.size).append(unit.name);
    }
  }
  return {};  // not reached: everything is a multiple of a nanosecond
}

std::string write_lowered_time(Time time) {
  std::string fraction = std::to_string(time.count() % 1'000'000'000);
  fraction.insert(0, 9 - fraction.size(), '0');
  if (fraction.ends_with("000")) {
    fraction.resize(6);
  }
  return std::to_string(time.count() / 1'000'000'000) + "." + fraction + "s";
}

std::optional<std::pair<Time, Time>> read_duration_range(std::string_view text) {
  const auto dots = text.find("..");
  const auto from = read_duration(text.substr(0, dots));
  const auto to = dots == std::string_view::npos ? from : read_duration(text.substr(dots + 2));
  if (!from || !to || *from > *to) {
    return std::nullopt;
  }
  return std::pair(*from, *to);
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  if (text.empty() || text.size() > 19 || (text.size() > 1 && text.front() == '0') ||
      !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
}

std::optional<double> read_fraction(std::string_view text) {
  const auto decimal = read_decimal(text);
  return decimal ? std::optional(static_cast<double>(decimal->whole) +
                                 static_cast<double>(decimal->billionths) / 1e9)
                 : std::nullopt;
}

std::optional<double> read_probability(std::string_view text) {
  const bool percent = text.ends_with('%');
  auto value = read_fraction(percent ? text.substr(0, text.size() - 1) : text);
  if (value && percent) {
    *value /= 100;
  }
  return value && *value <= 1 ? value : std::nullopt;
}

std::optional<std::uint64_t> read_bytes(std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit = std::ranges::find(kByteUnits, text.substr(end), &Unit::name);
  const auto count = read_number(text.substr(0, end));
  if (!count || unit == kByteUnits.end() || *count > static_cast<std::uint64_t>(INT64_MAX / unit->size)) {
    return std::nullopt;
  }
  return *count * static_cast<std::uint64_t>(unit->size);
}

std::optional<double> read_rate(std::string_view text) {
  return text.ends_with("/s") ? read_fraction(text.substr(0, text.size() - 2)) : std::nullopt;
}

std::optional<std::uint64_t> read_byte_rate(std::string_view text) {
  const auto bytes = text.ends_with("/s") ? read_bytes(text.substr(0, text.size() - 2)) : std::nullopt;
  return bytes && *bytes > 0 ? bytes : std::nullopt;
}

std::optional<Weights> read_weights(std::string_view text) {
  Weights result;
  while (true) {
    const auto comma = text.find(',');
    auto part = text.substr(0, comma);
    const auto from = part.find_first_not_of(' ');
    if (from == std::string_view::npos) {
      return std::nullopt;
    }
    part = part.substr(from, part.find_last_not_of(' ') - from + 1);
    const auto blank = part.find(' ');
    const auto name = part.substr(0, blank);
    std::uint64_t weight = 1;
    if (blank != std::string_view::npos) {
      const auto number = part.substr(part.find_first_not_of(' ', blank));
      const auto read = read_number(number);
      if (!read || *read == 0 || *read > 1'000'000) {
        return std::nullopt;
      }
      weight = *read;
    }
    if (!is_name(name) || std::ranges::any_of(result, [&](const auto& w) { return w.first == name; })) {
      return std::nullopt;
    }
    result.emplace_back(name, weight);
    if (comma == std::string_view::npos) {
      return result;
    }
    text.remove_prefix(comma + 1);
  }
}

std::string write_weights(const Weights& weights) {
  std::string text;
  for (const auto& [name, weight] : weights) {
    text.append(text.empty() ? "" : ", ").append(name).append(" ").append(std::to_string(weight));
  }
  return text;
}

bool is_name(std::string_view text) {
  const auto inside = [](char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; };
  return !text.empty() && text.size() <= 64 && (is_letter(text.front()) || text.front() == '_') &&
         std::ranges::all_of(text, inside) && text.back() != '-' && text.back() != '.';
}

std::optional<std::uint64_t> read_node(std::string_view text) {
  const bool fits = text.size() >= 2 && text.size() <= 3 && text[0] == 'n' && text[1] != '0' &&
                    std::ranges::all_of(text.substr(1), is_digit);
  return fits ? read_number(text.substr(1)) : std::nullopt;
}

std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\' || c == '$') {
      result.append({'\\', c});
    } else if (c == '\n' || c == '\r' || c == '\t') {
      result.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (byte < 0x20 || byte >= 0x7f) {
      result.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 15]});
    } else {
      result.push_back(c);
    }
  }
  return result.append("\"");
}

std::string word_text(std::string_view text) {
  const auto plain = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"{}(),=<>!#$\\").find(c) == std::string_view::npos;
  };
  // "except" behind a selector would go on with it; a lone "-" reads badly.
  return !text.empty() && text != "-" && text != "except" && std::ranges::all_of(text, plain)
             ? std::string(text)
             : quoted(text);
}

}  // namespace kiwi::lab::script
