#include <algorithm>

#include "lab/script/format.hpp"
#include "lab/script/format_parts.hpp"
#include "lab/script/lower.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {
namespace {

using Kind = Selector::Kind;

template <class Range, class Text>
std::string joined(const Range& range, Text text_of) {
  std::string text;
  for (const auto& each : range) {
    text.append(text.empty() ? "" : ", ").append(text_of(each));
  }
  return text;
}

std::string picked_text(const Selector& pick) {
  const std::string count = pick.count == 1 ? "one " : std::to_string(pick.count) + " of ";
  const Selector& from = pick.parts.at(0);
  // Only what is written with one word, braces or another pick can stand behind it.
  return count + (from.kind == Kind::except ? "{" + to_text(from) + "}" : to_text(from));
}

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::leader:
      return "leader";
    case Kind::candidate:
      return "candidate";
    case Kind::lagging:
      return "lagging";
    case Kind::all:
      return "all";
    case Kind::others:
      return "others";
    case Kind::voters:
      return "voters";
    case Kind::followers:
      return "followers";
    case Kind::learners:
      return "learners";
    case Kind::majority:
      return "majority";
    case Kind::minority:
      return "minority";
    case Kind::up:
      return "up";
    case Kind::down:
      return "down";
    default:
      return "";
  }
}

std::string raw_word(const std::string& word) {
  const bool plain =
      !word.empty() && word != "->" && word.front() != '#' && std::ranges::all_of(word, [](char c) {
        return c > ' ' && c < 0x7f && c != '"' && c != '$' && c != '\\';
      });
  return plain ? word : quoted(word);
}

std::string settings_text(const std::vector<Setting>& settings) {
  std::string text;
  for (const auto& setting : settings) {
    text.append(" ").append(setting.key).append("=").append(word_text(setting.value));
  }
  return text;
}

std::string operand_text(const Predicate& predicate) {
  const auto& value = predicate.right.value;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    return std::to_string(*number);
  }
  if (const auto* time = std::get_if<Time>(&value)) {
    return write_duration(*time);
  }
  if (const auto* selector = std::get_if<Selector>(&value)) {
    return to_text(*selector);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text == "nil" ? quoted(*text) : word_text(*text);
  }
  if (const auto* inner = std::get_if<std::vector<Predicate>>(&value)) {
    return to_text(inner->at(0));
  }
  if (const auto* let = std::get_if<LetName>(&value)) {
    return let->name;
  }
  return "nil";
}

}  // namespace

std::string arguments_text(const std::vector<std::string>& words,
                           const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& word : words) {
    text.append(" ").append(word_text(word));
  }
  for (const auto& [key, value] : options) {
    text.append(" ").append(key).append("=").append(word_text(value));
  }
  return text;
}

std::string redis_text(const std::vector<std::string>& words,
                       const std::map<std::string, std::string>& options) {
  std::string text;
  if (const auto as = options.find("as"); as != options.end()) {
    text.append(" as ").append(as->second);
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    // In front these would be read as ours.
    const bool ours = i == 0 && (words[i] == "on" || words[i] == "as");
    text.append(" ").append(ours ? quoted(words[i]) : raw_word(words[i]));
  }
  if (const auto reply = options.find("reply"); reply != options.end()) {
    text.append(" -> ").append(reply->second);
  }
  return text;
}

std::string_view to_text(Compare compare) {
  constexpr std::string_view kSigns[] = {"=", "!=", "<", "<=", ">", ">="};
  return kSigns[static_cast<std::size_t>(compare)];
}

std::string to_text(const Selector& selector) {
  switch (selector.kind) {
    case Kind::node:
      return "n" + to_string(selector.node);
    case Kind::name:
      return selector.name;
    case Kind::pick:
      return picked_text(selector);
    case Kind::list:
      return "{" + joined(selector.parts, [](const Selector& s) { return to_text(s); }) + "}";
    case Kind::except: {
      const Selector& without = selector.parts.at(1);
      return to_text(selector.parts.at(0)) + " except " +
             (without.kind == Kind::except ? "{" + to_text(without) + "}" : to_text(without));
    }
    default:
      return std::string(word_of(selector.kind));
  }
}

std::string to_text(const Link& link) {
  return to_text(link.from) + (link.both_ways ? " <-> " : " -> ") + to_text(link.to);
}

std::string to_text(const Predicate& predicate) {
  std::string text = (predicate.negated ? "not " : "") + predicate.name;
  if (predicate.name == "key") {
    text.append(" ").append(word_text(predicate.names.at(0)));
  } else if (!predicate.nodes.empty() || !predicate.names.empty()) {
    std::string inside = joined(predicate.nodes, [](const Selector& s) { return to_text(s); });
    inside += joined(predicate.names, [](const std::string& n) { return n; });
    for (const auto& option : predicate.options) {
      inside.append(", ").append(option.key).append("=").append(word_text(option.value));
    }
    text.append("(").append(inside).append(")");
  }
  if (predicate.compare) {
    text.append(" ").append(to_text(*predicate.compare)).append(" ").append(operand_text(predicate));
  }
  return text;
}

std::string to_text(const Event& event) {
  switch (event.kind) {
    case Event::Kind::predicate:
      return to_text(event.predicate.at(0));
    case Event::Kind::mark:
      return "mark " + event.name + " on " + to_text(event.on);
    case Event::Kind::disk:
      return "disk " + event.name + " " + word_text(event.file_class) + " on " + to_text(event.on);
    case Event::Kind::message:
      break;
  }
  std::string text = "msg " + event.name + " " + to_text(event.link);
  if (!event.fields.empty()) {
    text.append(" (").append(joined(event.fields, [](const FieldTest& f) {
      return f.field + " " + std::string(to_text(f.compare)) + " " + std::to_string(f.value);
    }));
    text.append(")");
  }
  return text;
}

std::string to_text(const VerbCall& call) {
  std::string text = call.verb;
  const VerbRow* row = find_verb(call.verb);
  const bool redis = row != nullptr && row->target == Target::redis;
  if (const auto* nodes = std::get_if<Selector>(&call.target)) {
    text.append(redis ? " on " : " ").append(to_text(*nodes));
  } else if (const auto* link = std::get_if<Link>(&call.target)) {
    text.append(" ").append(to_text(*link));
  } else if (const auto* load = std::get_if<std::string>(&call.target)) {
    text.append(" ").append(*load);
  }
  return text.append(redis ? redis_text(call.words, call.options) : arguments_text(call.words, call.options));
}

std::string to_text(const Expect& expect) {
  const std::string mode = expect.mode == Expect::Mode::now ? ""
                           : expect.mode == Expect::Mode::within
                               ? "within " + write_duration(expect.span) + " "
                               : "for " + write_duration(expect.span) + " ";
  return "expect " + mode + joined(expect.predicates, [](const Predicate& p) { return to_text(p); });
}

std::string to_text(const When& when) {
  switch (when.kind) {
    case When::Kind::at:
      return "at " + write_duration(when.time);
    case When::Kind::after:
      return "after " + write_duration(when.time);
    case When::Kind::when:
      return "when " + to_text(when.event.at(0)) +
             (when.within ? " within " + write_duration(*when.within) : "");
    case When::Kind::every:
      return "every " + write_duration(when.time) + " for " + write_duration(when.span);
    case When::Kind::fuzz:
      break;
  }
  const auto weight = [](const auto& f) { return f.first + " " + std::to_string(f.second); };
  return "fuzz " + write_duration(when.time) + " faults { " + joined(when.faults, weight) + " }" +
         settings_text(when.settings);
}

}  // namespace kiwi::lab::script
