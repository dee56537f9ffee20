#include "lab/run/text_lines.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "lab/script/parse.hpp"

namespace kiwi::lab {
namespace {

using Places = std::vector<script::Place>;

struct Collect {
  Places& places;

  void operator()(const script::Let& let) { places.push_back(let.place); }
  void operator()(const script::VerbCall& call) { places.push_back(call.place); }
  void operator()(const script::Expect& expect) { places.push_back(expect.place); }
  void operator()(const script::Block& block) {
    places.push_back(block.when.place);
    for (const script::Statement& statement : block.body) {
      std::visit(*this, statement.value);
    }
  }
};

/// In an order that depends on the meaning alone.
Places places_of(const script::Scenario& scenario) {
  Places places;
  for (const script::Load& load : scenario.loads) {
    places.push_back(load.place);
  }
  for (const script::Block& block : scenario.blocks) {
    Collect{places}(block);
  }
  for (const script::Action& action : scenario.actions) {
    places.push_back({0, action.line, 0});
  }
  for (const auto* checks : {&scenario.always, &scenario.finally}) {
    for (const script::Predicate& predicate : *checks) {
      places.push_back(predicate.place);
    }
  }
  return places;
}

}  // namespace

std::map<int, int> text_lines(const script::Scenario& scenario, const std::string& text) {
  std::map<int, int> lines;
  const auto again = script::parse({scenario.name, text});
  if (!again) {
    return lines;
  }
  const Places file = places_of(scenario);
  const Places shown = places_of(*again);
  for (std::size_t i = 0; i < std::min(file.size(), shown.size()); ++i) {
    if (file[i].file == 0 && file[i].line > 0) {
      lines.emplace(file[i].line, shown[i].line);
    }
  }
  return lines;
}

}  // namespace kiwi::lab
