#pragma once

// The lines of a scenario with its includes put in place, and its params and matrices. Inside lab/script
// only.

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "lab/script/error.hpp"
#include "lab/script/lexer.hpp"
#include "lab/script/parse.hpp"

namespace kiwi::lab::script {

/// Gathers mistakes, at most kMaxErrors.
class ErrorList {
 public:
  explicit ErrorList(const std::vector<std::string>& files) : files_(files) {}
  void add(const SourceLine& line, const Mistake& mistake);
  void add(Error error) { errors_.push_back(std::move(error)); }
  bool full() const { return errors_.size() >= kMaxErrors; }
  void clear() { errors_.clear(); }
  bool empty() const { return errors_.empty(); }
  /// In the order of the sources.
  Errors take();

 private:
  const std::vector<std::string>& files_;
  Errors errors_;
};

/// One line of text as a SourceLine; throws Mistake for tabs and control characters.
SourceLine source_line(int file, int number, std::string_view text);

struct Matrix {
  std::string name;
  std::vector<std::string> values;  // as written
};

struct Sources {
  std::vector<std::string> files;  // [0] is the scenario
  /// Without includes, params, matrices, draws, comments and empty lines.
  std::vector<SourceLine> lines;
  Params params;                 // those of the file, replaced by the options where these name them
  std::vector<Matrix> matrices;  // those that no option fixes
};

tl::expected<Sources, Errors> read_sources(const Source& source, const ParseOptions& options);

/// The first word of a line: letters and '-', or "!".
std::string_view head_word(const SourceLine& line);

}  // namespace kiwi::lab::script
