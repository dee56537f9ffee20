#include "lab/script/parse.hpp"

#include <algorithm>
#include <set>

#include "lab/script/lower.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/settings.hpp"
#include "lab/script/source.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

constexpr std::string_view kTimeWords = "at|after|when|every|fuzz";

class Parser {
 public:
  Parser(const Sources& sources, const ParseOptions& options)
      : sources_(sources), options_(options), errors_(sources.files) {
    scenario_.files = sources.files;
    scenario_.params = sources.params;
    collect_loads();
  }

  tl::expected<Scenario, Errors> run() {
    while (at_ < sources_.lines.size() && !errors_.full()) {
      top_line(sources_.lines[at_++]);
    }
    if (!errors_.full()) {
      check_head();
      check_uses();
    }
    if (!errors_.empty()) {
      return tl::unexpected(errors_.take());
    }
    std::ranges::stable_sort(scenario_.actions, {}, &Action::at);
    return std::move(scenario_);
  }

 private:
  void collect_loads() {
    for (const auto& line : sources_.lines) {
      if (line.indent == 0 && head_word(line) == "load") {
        guard(line, [&] {
          Lexer lexer(line, 4, &sources_.params);
          loads_.push_back(lexer.next().text);
        });
      }
    }
    errors_.clear();  // told again when the line is read
  }

  template <class Body>
  bool guard(const SourceLine& line, Body body) {
    try {
      body();
      return true;
    } catch (const Mistake& mistake) {
      errors_.add(line, mistake);
      return false;
    }
  }

  /// A line at the left margin, and what belongs to it.
  void top_line(const SourceLine& line) {
    if (line.indent > 0) {
      errors_.add(line, {line.indent, line.text.size(), "this line belongs to nothing",
                         "the line above it takes none"});
      return;
    }
    const auto head = head_word(line);
    if (has_choice(kTimeWords, head)) {
      Statement statement;
      const bool good = guard(line, [&] { statement = this->statement(line, 0); });
      if (good && head == "after" && scenario_.blocks.empty()) {
        errors_.add(line, {0, head.size(), "'after' needs a block above it", "did you mean 'at'?"});
      }
      Block ignored;
      Block& block = good ? std::get<Block>(statement.value) : ignored;
      children(good ? *innermost(statement) : ignored, line, 0, good);
      scenario_.blocks.push_back(std::move(block));
      return;
    }
    guard(line, [&] { head_line(line, head); });
  }

  void head_line(const SourceLine& line, std::string_view head) {
    Lexer lexer(line, head.size(), &sources_.params);
    LineParser parts(lexer, loads_, &uses_);
    if (head == "scenario") {
      once(head, !scenario_.name.empty());
      const Token name = lexer.next();
      check_value({.name = "scenario", .type = ValueType::name}, name);
      scenario_.name = name.text;
      parts.want_end();
    } else if (head == "about") {
      once(head, !scenario_.about.empty());
      about(line);
    } else if (head == "cluster") {
      once(head, cluster_line_ != nullptr);
      cluster_line_ = &line;
      settings(parts, cluster_keys(), "cluster", scenario_.cluster);
    } else if (head == "load") {
      load(lexer, parts, line);
    } else if (head == "noise") {
      once(head, scenario_.noise.has_value());
      scenario_.noise = parts.noise();
      parts.want_end();
    } else if (head == "always" || head == "finally") {
      auto& checks = head == "always" ? scenario_.always : scenario_.finally;
      const unsigned where = head == "always" ? kInAlways : kInFinally;
      std::ranges::move(parts.predicates(where), std::back_inserter(checks));
      parts.want_end();
    } else if (head == "!") {
      scenario_.actions.push_back(read_action(lexer, parts));
    } else {
      unknown_head(line, lexer, head);
    }
  }

  void unknown_head(const SourceLine& line, Lexer& lexer, std::string_view head) {
    std::vector<std::string_view> known{"scenario", "about", "cluster", "load", "noise", "always",
                                        "finally",  "at",    "after",   "when", "every", "fuzz",
                                        "include",  "param", "matrix",  "draw"};
    Lexer again(line, 0, nullptr);
    const Token token = head.empty() ? lexer.next() : again.next();
    const bool verb = find_verb(token.text) != nullptr || token.text == "let" || token.text == "expect";
    fail_at(token, verb ? "'" + token.text + "' needs a time" : "unknown line '" + token.text + "'",
            verb ? "write 'at 2s " + token.text + " ...', or indent it below such a line"
                 : did_you_mean(token.text, known));
  }

  static void once(std::string_view head, bool again) {
    if (again) {
      throw Mistake{0, head.size(), "a second '" + std::string(head) + "' line", "one is all there can be"};
    }
  }

  /// Text as it stands, indented lines below included.
  void about(const SourceLine& line) {
    const auto trimmed = [](std::string_view text) {
      return text.substr(std::min(text.find_first_not_of(' '), text.size()));
    };
    scenario_.about = trimmed(std::string_view(line.text).substr(5));
    while (at_ < sources_.lines.size() && sources_.lines[at_].indent > 0) {
      scenario_.about.append(scenario_.about.empty() ? "" : " ").append(trimmed(sources_.lines[at_++].text));
    }
  }

  /// key=value on the line and on indented lines below.
  void settings(LineParser& parts, std::span<const ValueSpec> keys, std::string_view of,
                std::vector<Setting>& into) {
    const std::size_t first = at_;
    while (at_ < sources_.lines.size() && sources_.lines[at_].indent > 0) {
      ++at_;  // even when this line is wrong, those below are read as its own
    }
    const std::size_t end = at_;
    parts.settings(keys, of, into);
    for (std::size_t i = first; i < end; ++i) {
      guard(sources_.lines[i], [&] {
        Lexer more(sources_.lines[i], 0, &sources_.params);
        LineParser(more, loads_, &uses_).settings(keys, of, into);
      });
    }
  }

  void load(Lexer& lexer, LineParser& parts, const SourceLine& line) {
    Load result;
    const Token name = lexer.peek();
    result.place = lexer.place(name);
    result.name = parts.declared_name("load");
    const bool twice =
        std::ranges::any_of(scenario_.loads, [&](const Load& l) { return l.name == result.name; });
    settings(parts, load_keys(), "load", result.settings);
    if (twice) {
      fail_at(name, "there is a load '" + result.name + "' already");
    }
    for (const auto& setting : result.settings) {
      const bool node = setting.key == "to";
      if (node || setting.key == "stale") {
        const auto begin = static_cast<std::size_t>(setting.place.column - 1);
        const auto id = read_node(setting.value);
        if (node && !id) {
          throw Mistake{begin, begin + setting.key.size(), "expected a node for 'to'", "such as to=n1"};
        }
        uses_.push_back({node ? NameUse::Kind::node : NameUse::Kind::load, setting.value, id.value_or(0),
                         line_of(setting.place, line), begin, begin + setting.key.size()});
      }
    }
    scenario_.loads.push_back(std::move(result));
  }

  const SourceLine* line_of(Place place, const SourceLine& near) const {
    const auto found = std::ranges::find_if(
        sources_.lines, [&](const SourceLine& l) { return l.file == place.file && l.number == place.line; });
    return found == sources_.lines.end() ? &near : &*found;
  }

  /// The time word of a line with its first statement, or any statement of a body.
  Statement statement(const SourceLine& line, int depth) {
    Lexer lexer(line, line.indent, &sources_.params);
    LineParser parts(lexer, loads_, &uses_);
    return statement(lexer, parts, depth);
  }

  Statement statement(Lexer& lexer, LineParser& parts, int depth) {
    const Token token = lexer.peek();
    Statement result;
    if (token.kind == Token::Kind::word && has_choice(kTimeWords, token.text)) {
      if (depth > kMaxNesting) {
        fail_at(token, "blocks are nested too deep");
      }
      if (token.text == "at" && depth > 0) {
        fail_at(token, "'at' stands at the left margin only", "inside a block time is told by 'after'");
      }
      Block block;
      block.when = parts.when();
      if (block.when.kind != When::Kind::fuzz && !lexer.at_end()) {
        block.body.push_back(statement(lexer, parts, depth + 1));
      }
      result.value = std::move(block);
    } else if (token.is_word("let")) {
      lexer.next();
      lets_.insert(lexer.peek().text);  // even when the rest is wrong: one mistake is told once
      result.value = parts.let();
    } else if (token.is_word("expect")) {
      lexer.next();
      result.value = parts.expect();
    } else {
      result.value = parts.verb_call();
    }
    parts.want_end();
    return result;
  }

  /// The last block that a line began: the one that takes the lines below.
  static Block* innermost(Statement& statement) {
    Block* block = std::get_if<Block>(&statement.value);
    while (block != nullptr && !block->body.empty()) {
      Block* inner = std::get_if<Block>(&block->body.back().value);
      if (inner == nullptr) {
        break;
      }
      block = inner;
    }
    return block;
  }

  /// The lines below `owner` that are indented deeper.
  void children(Block& block, const SourceLine& owner, int depth, bool good) {
    std::size_t column = 0;
    bool any = false;
    while (at_ < sources_.lines.size() && sources_.lines[at_].indent > owner.indent && !errors_.full()) {
      const SourceLine& line = sources_.lines[at_++];
      if (good && block.when.kind == When::Kind::fuzz) {
        errors_.add(line, {line.indent, line.text.size(), "a 'fuzz' line takes no lines below it", {}});
        good = false;
      }
      if (any && line.indent != column) {
        errors_.add(line, {line.indent, line.indent + 1, "this line is not in line with those above it",
                           "begin it in column " + std::to_string(column + 1) + ", or below a time word"});
      }
      column = any ? column : line.indent;
      any = true;
      Statement statement;
      if (depth + 1 > kMaxNesting) {
        errors_.add(line, {line.indent, line.indent + 1, "blocks are nested too deep", {}});
        continue;
      }
      const bool read = guard(line, [&] { statement = this->statement(line, depth + 1); });
      Block ignored;
      Block* inner = read ? innermost(statement) : &ignored;
      if (inner != nullptr) {
        children(*inner, line, depth + 1, read);
      }
      block.body.push_back(std::move(statement));
    }
    if (good && block.body.empty() && block.when.kind != When::Kind::fuzz) {
      errors_.add(owner, {owner.text.size(), owner.text.size() + 1, "nothing happens here",
                          "expected a verb, 'let' or 'expect', on this line or indented below it"});
    }
  }

  void check_head() {
    if (scenario_.name.empty()) {
      errors_.add(
          {sources_.files[0], 0, 0, 1, "the scenario has no name", "begin with a line 'scenario NAME'", {}});
    }
    if (const auto seed = options_.params.find("seed");
        seed != options_.params.end() && !sources_.params.contains("seed")) {
      const auto found = std::ranges::find(scenario_.cluster, "seed", &Setting::key);
      if (!read_number(seed->second)) {
        errors_.add({sources_.files[0],
                     0,
                     0,
                     1,
                     "the seed must be a whole number, not '" + seed->second + "'",
                     {},
                     {}});
      } else if (found != scenario_.cluster.end()) {
        found->value = seed->second;
      } else {
        scenario_.cluster.push_back({"seed", seed->second, {}});
      }
    }
    if (cluster_line_ != nullptr && errors_.empty()) {
      check_cluster();
    }
  }

  void check_cluster() {
    const auto settings = cluster_settings(scenario_);
    const auto whole = [&](Time time) { return time.count() % settings.tick.count() == 0 && time > Time(0); };
    const auto complain = [&](std::string_view key, std::string message) {
      const auto found = std::ranges::find(scenario_.cluster, key, &Setting::key);
      if (found == scenario_.cluster.end()) {
        errors_.add(*cluster_line_, {0, 7, std::move(message), "set '" + std::string(key) + "', too"});
        return;
      }
      const auto begin = static_cast<std::size_t>(found->place.column - 1);
      errors_.add(*line_of(found->place, *cluster_line_),
                  {begin, begin + key.size(), std::move(message), {}});
    };
    if (settings.tick == Time(0)) {
      complain("tick", "the tick must be above 0");
    } else if (!whole(settings.election.first) || !whole(settings.election.second)) {
      complain("election",
               "both election times must be multiples of the tick (" + write_duration(settings.tick) + ")");
    } else if (!whole(settings.heartbeat) || settings.heartbeat * 2 > settings.election.first) {
      complain("heartbeat", "the heartbeat must be a multiple of the tick (" + write_duration(settings.tick) +
                                ") and at most half of an election time");
    }
    if (settings.net == NetProfile::stream && (settings.loss > 0 || settings.duplicate > 0)) {
      complain(settings.loss > 0 ? "loss" : "duplicate", "with net=stream no frame is lost or doubled");
    }
  }

  void check_uses() {
    const std::vector<std::string_view> loads(loads_.begin(), loads_.end());
    std::uint64_t nodes = kMaxNodes;
    if (errors_.empty()) {
      const ClusterSettings settings = cluster_settings(scenario_);
      nodes = settings.nodes + settings.spares;
    }
    for (const auto& use : uses_) {
      Mistake mistake{use.begin, use.end, {}, {}};
      if (use.kind == NameUse::Kind::node && use.node > nodes) {
        mistake.message = "there is no " + use.name + ": the cluster has " + std::to_string(nodes) + " nodes";
      } else if (use.kind == NameUse::Kind::load && std::ranges::find(loads_, use.name) == loads_.end()) {
        mistake.message = "there is no load '" + use.name + "'";
        mistake.hint = did_you_mean(use.name, loads);
      } else if (use.kind == NameUse::Kind::let && !lets_.contains(use.name)) {
        auto known = selector_words();
        known.insert(known.end(), lets_.begin(), lets_.end());
        mistake.message = "there is no node, set or 'let' of the name '" + use.name + "'";
        mistake.hint = did_you_mean(use.name, known);
      }
      if (!mistake.message.empty() && !errors_.full()) {
        errors_.add(*use.line, mistake);
      }
    }
  }

  const Sources& sources_;
  const ParseOptions& options_;
  ErrorList errors_;
  Scenario scenario_;
  std::vector<std::string> loads_;
  std::set<std::string> lets_;
  std::vector<NameUse> uses_;
  const SourceLine* cluster_line_ = nullptr;
  std::size_t at_ = 0;
};

}  // namespace

tl::expected<Scenario, Errors> parse(const Source& source, const ParseOptions& options) {
  const auto sources = read_sources(source, options);
  return sources ? Parser(*sources, options).run() : tl::unexpected(sources.error());
}

}  // namespace kiwi::lab::script
