#pragma once

// Random scenarios and actions, made from the tables: what is valid by them, whatever it means.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/spec.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {

class RandomScript {
 public:
  explicit RandomScript(std::uint64_t seed) : random_(seed) {}

  Scenario scenario();
  Action action();

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

 private:
  bool chance() { return below(2) == 0; }
  Time duration();
  std::string text();
  std::string value(const ValueSpec& spec);
  std::vector<NodeId> nodes(std::size_t most);
  Selector selector(int depth, bool others = false);
  Predicate predicate(unsigned where);
  void right_side(const PredicateRow& row, Predicate& predicate);
  Event event();
  VerbCall call();
  Statement statement(int depth);
  Block block(int depth);
  std::vector<std::string> words(const VerbRow& row);
  void redis(std::vector<std::string>& words, std::map<std::string, std::string>& options);
  std::vector<Setting> settings(std::span<const ValueSpec> keys);

  std::mt19937_64 random_;
};

}  // namespace kiwi::lab::script
