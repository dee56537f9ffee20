#include "lab/script/spec.hpp"

#include <algorithm>

#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

/// "a|b|c" as "a, b<last>c".
std::string listed(std::string_view choices, std::string_view last) {
  std::string text;
  while (true) {
    const auto bar = choices.find('|');
    text.append(choices.substr(0, bar));
    if (bar == std::string_view::npos) {
      return text;
    }
    choices.remove_prefix(bar + 1);
    text.append(choices.find('|') == std::string_view::npos ? last : ", ");
  }
}

bool is_file_class(std::string_view text) {
  return has_choice(kFileClasses, text) || (text.find('/') != std::string_view::npos && text.front() != '/' &&
                                            text.find("..") == std::string_view::npos);
}

bool weights_read(const ValueSpec& spec, std::string_view text) {
  const auto weights = read_weights(text);
  return weights && (spec.choices.empty() || std::ranges::all_of(*weights, [&](const auto& w) {
                       return has_choice(spec.choices, w.first);
                     }));
}

bool number_reads(const ValueSpec& spec, std::string_view text) {
  const auto number = read_number(text);
  return number && *number >= spec.least && *number <= spec.most;
}

/// A lower bound counts for sizes and rates of bytes, too.
bool at_least(const ValueSpec& spec, std::optional<std::uint64_t> value) {
  return value && *value >= spec.least;
}

std::string with_least(const ValueSpec& spec, std::string text) {
  return spec.least == 0 ? text : text + ", at least " + std::to_string(spec.least);
}

std::string number_expectation(const ValueSpec& spec) {
  if (spec.most == UINT64_MAX) {
    return spec.least == 0 ? "a whole number" : "a whole number, at least " + std::to_string(spec.least);
  }
  return "a whole number from " + std::to_string(spec.least) + " to " + std::to_string(spec.most);
}

bool reads(const ValueSpec& spec, std::string_view text) {
  switch (spec.type) {
    case ValueType::number:
      return number_reads(spec, text);
    case ValueType::fraction:
      return read_fraction(text).has_value();
    case ValueType::probability:
      return read_probability(text).has_value();
    case ValueType::duration:
      return read_duration(text).has_value();
    case ValueType::signed_duration:
      return read_signed_duration(text).has_value();
    case ValueType::duration_range:
      return read_duration_range(text).has_value();
    case ValueType::bytes:
      return at_least(spec, read_bytes(text));
    case ValueType::byte_rate:
      return at_least(spec, read_byte_rate(text));
    case ValueType::rate:
      return read_rate(text).has_value() || (!spec.choices.empty() && has_choice(spec.choices, text));
    case ValueType::choice:
      return has_choice(spec.choices, text);
    case ValueType::name:
      return is_name(text);
    case ValueType::weights:
      return weights_read(spec, text);
    case ValueType::file_class:
      return is_file_class(text);
    case ValueType::message_kind:
      return has_choice(kMessageKinds, text);
    case ValueType::text:
      return true;
  }
  return false;
}

}  // namespace

bool has_choice(std::string_view choices, std::string_view word) {
  while (true) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == word) {
      return true;
    }
    if (bar == std::string_view::npos) {
      return false;
    }
    choices.remove_prefix(bar + 1);
  }
}

std::optional<std::string> wrong_value(const ValueSpec& spec, std::string_view text) {
  return reads(spec, text) ? std::nullopt : std::optional(expectation(spec));
}

std::string expectation(const ValueSpec& spec) {
  switch (spec.type) {
    case ValueType::number:
      return number_expectation(spec);
    case ValueType::fraction:
      return "a number such as 1.05";
    case ValueType::probability:
      return "a probability such as 0.3 or 30%";
    case ValueType::duration:
      return "a duration such as 500ms";
    case ValueType::signed_duration:
      return "a duration such as 500ms or -2s";
    case ValueType::duration_range:
      return "a duration, or two such as 150ms..300ms";
    case ValueType::bytes:
      return with_least(spec, "a size such as 64KB");
    case ValueType::byte_rate:
      return with_least(spec, "bytes per second such as 1MB/s");
    case ValueType::rate:
      return spec.choices.empty() ? "a rate such as 200/s"
                                  : "a rate such as 200/s, or " + listed(spec.choices, " or ");
    case ValueType::choice:
      return (spec.choices.find('|') == std::string_view::npos ? "the word " : "one of ") +
             listed(spec.choices, " or ");
    case ValueType::name:
      return "a name";
    case ValueType::weights:
      return spec.choices.empty()
                 ? "names with weights such as \"cut 3, crash 2\""
                 : "weights of " + listed(spec.choices, " and ") + ", such as \"get 50, set 50\"";
    case ValueType::file_class:
      return "a path with a '/' in it, or one of " + listed(kFileClasses, " or ");
    case ValueType::message_kind:
      return "one of " + listed(kMessageKinds, " or ");
    case ValueType::text:
      return "a word or a text in quotes";
  }
  return {};
}

std::string type_name(const ValueSpec& spec) {
  switch (spec.type) {
    case ValueType::number:
      return "number";
    case ValueType::fraction:
      return "number with a fraction";
    case ValueType::probability:
      return "probability";
    case ValueType::duration:
      return "duration";
    case ValueType::signed_duration:
      return "duration, may be negative";
    case ValueType::duration_range:
      return "duration or range";
    case ValueType::bytes:
      return "size";
    case ValueType::byte_rate:
      return "bytes per second";
    case ValueType::rate:
      return spec.choices.empty() ? "rate" : "rate or " + listed(spec.choices, " or ");
    case ValueType::choice:
      return listed(spec.choices, " or ");
    case ValueType::name:
      return "name";
    case ValueType::weights:
      return "names with weights";
    case ValueType::file_class:
      return "kind of file";
    case ValueType::message_kind:
      return "kind of message";
    case ValueType::text:
      return "text";
  }
  return {};
}

}  // namespace kiwi::lab::script
