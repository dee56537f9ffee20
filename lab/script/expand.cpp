#include <set>

#include "lab/script/parse.hpp"
#include "lab/script/parse_parts.hpp"
#include "lab/script/source.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {
namespace {

/// Parses one line that is nothing but what `body` takes.
template <class Result, class Body>
tl::expected<Result, Errors> parse_alone(std::string_view text, std::string_view what, Body body) {
  const std::vector<std::string> files{std::string(what)};
  const std::vector<std::string> loads;
  ErrorList errors(files);
  SourceLine line{0, 1, 0, std::string(text.substr(0, kMaxLineBytes))};
  try {
    line = source_line(0, 1, text);
    Lexer lexer(line, 0, nullptr);
    LineParser parts(lexer, loads, nullptr);
    Result result = body(parts);
    parts.want_end();
    return result;
  } catch (const Mistake& mistake) {
    errors.add(line, mistake);
  }
  return tl::unexpected(errors.take());
}

/// Everything of a scenario that a backend may lack.
class Needs {
 public:
  explicit Needs(std::string_view backend) : process_(backend == "process") {}

  void verb(std::string_view name) {
    const VerbRow* row = find_verb(name);
    if (row == nullptr || !(process_ ? row->process : row->sim)) {
      missing_.emplace(name);
    }
  }
  void block(const Block& block) {
    for (const auto& [name, weight] : block.when.faults) {
      verb(name);
    }
    for (const auto& statement : block.body) {
      if (const auto* call = std::get_if<VerbCall>(&statement.value)) {
        verb(call->verb);
      } else if (const auto* inner = std::get_if<Block>(&statement.value)) {
        this->block(*inner);
      }
    }
  }
  std::vector<std::string> take() { return {missing_.begin(), missing_.end()}; }

 private:
  bool process_;
  std::set<std::string> missing_;
};

}  // namespace

tl::expected<std::vector<Scenario>, Errors> expand(const Source& source, const ParseOptions& options) {
  const auto sources = read_sources(source, options);
  if (!sources) {
    return tl::unexpected(sources.error());
  }
  const auto& matrices = sources->matrices;
  std::size_t cases = 1;
  for (const auto& matrix : matrices) {
    cases *= matrix.values.size();
    if (cases > kMaxCases) {
      return tl::unexpected(Errors{{source.name,
                                    0,
                                    0,
                                    1,
                                    "the matrices make more than " + std::to_string(kMaxCases) + " cases",
                                    {},
                                    {}}});
    }
  }
  std::vector<Scenario> result;
  for (std::size_t number = 0; number < cases; ++number) {
    ParseOptions chosen = options;
    std::string which;
    std::size_t rest = number;
    for (std::size_t i = matrices.size(); i-- > 0;) {
      const auto& matrix = matrices[i];
      const auto& value = matrix.values[rest % matrix.values.size()];
      rest /= matrix.values.size();
      chosen.params[matrix.name] = value;
      which.insert(0, matrix.name + "=" + value + (which.empty() ? "" : " "));
    }
    auto scenario = parse(source, chosen);
    if (!scenario) {
      return tl::unexpected(scenario.error());
    }
    scenario->which = std::move(which);
    result.push_back(std::move(*scenario));
  }
  return result;
}

std::vector<std::string> unsupported(const Scenario& scenario, std::string_view backend) {
  Needs needs(backend);
  for (const auto& block : scenario.blocks) {
    needs.block(block);
  }
  for (const auto& action : scenario.actions) {
    needs.verb(action.verb);
  }
  return needs.take();
}

tl::expected<Predicate, Errors> parse_predicate(std::string_view text) {
  return parse_alone<Predicate>(text, "predicate", [](LineParser& parts) {
    return parts.predicate(kInEvents | kInAlways | kInFinally);
  });
}

tl::expected<Selector, Errors> parse_selector(std::string_view text) {
  return parse_alone<Selector>(text, "selector", [](LineParser& parts) { return parts.selector(); });
}

}  // namespace kiwi::lab::script
