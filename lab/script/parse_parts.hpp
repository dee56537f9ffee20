#pragma once

// What stands on one line. Each function takes its words from the lexer and throws Mistake. Inside lab/script
// only.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/script/lexer.hpp"
#include "lab/script/predicates.hpp"
#include "lab/script/spec.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {

/// A name that must be declared somewhere; looked up when all lines are read.
struct NameUse {
  enum class Kind { let, node, load };
  Kind kind = Kind::let;
  std::string name;
  std::uint64_t node = 0;
  const SourceLine* line = nullptr;
  std::size_t begin = 0;
  std::size_t end = 0;
};

class LineParser {
 public:
  /// `uses` null: names are not recorded. All arguments must live longer. `loads`: the names of all loads.
  LineParser(Lexer& lexer, const std::vector<std::string>& loads, std::vector<NameUse>* uses)
      : lexer_(lexer), loads_(loads), uses_(uses) {}

  Selector selector();
  /// "a, b" means {a, b}.
  Selector selectors();
  Link link();
  Predicate predicate(unsigned where);
  std::vector<Predicate> predicates(unsigned where);
  Event event();
  /// The verb itself is the next word.
  VerbCall verb_call();
  Let let();
  Expect expect();
  When when();
  /// key=value until the end of the line; appended to `into`.
  void settings(std::span<const ValueSpec> keys, std::string_view of, std::vector<Setting>& into);
  std::vector<Window> noise();

  /// What names no node names a load, declared or not.
  void concrete() { concrete_ = true; }
  Time duration(std::string_view what);
  std::string declared_name(std::string_view what);
  void want_end();

 private:
  Selector primary(int depth);
  Selector term(int depth);
  Selector picked(const Token& first, std::uint64_t count, int depth);
  Selector braces(const Token& first, int depth);
  void arguments(const PredicateRow& row, Predicate& predicate);
  void argument(const PredicateRow& row, Predicate& predicate);
  Operand operand(const PredicateRow& row);
  Operand number_operand();
  FieldTest field_test();
  Event message_event(Event event);
  void target(const VerbRow& row, VerbCall& call);
  void words_and_options(const VerbRow& row, VerbCall& call);
  void option(const VerbRow& row, VerbCall& call);
  void redis(VerbCall& call);
  void fuzz(When& result);
  void use(NameUse::Kind kind, const Token& token, std::uint64_t node = 0);
  Compare compare();
  bool at_compare();

  Lexer& lexer_;
  const std::vector<std::string>& loads_;
  std::vector<NameUse>* uses_;
  bool others_allowed_ = false;
  bool concrete_ = false;
};

/// The rest of a `!` line, its comment included.
Action read_action(Lexer& lexer, LineParser& parts);

/// Words that are selectors by themselves.
std::vector<std::string_view> selector_words();
/// A selector word, a node, or a word of the grammar: cannot be the name of a `let` or a load.
bool is_reserved(std::string_view name);
/// The names of these rows.
template <class Rows>
std::vector<std::string_view> names_of(const Rows& rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows) {
    names.push_back(row.name);
  }
  return names;
}
/// "a|b|c" as a list.
std::vector<std::string_view> split_choices(std::string_view choices);
/// The value as `spec` wants it, or a Mistake at `token`.
void check_value(const ValueSpec& spec, const Token& token);

}  // namespace kiwi::lab::script
