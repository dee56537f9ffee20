#pragma once

// Text to Scenario. Hostile text costs bounded memory and time: see the limits.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/script/error.hpp"

namespace kiwi::lab::script {

/// Of all files of a scenario together, in bytes and lines (a replay file of a long campaign has 100,000).
inline constexpr std::size_t kMaxScriptBytes = 16 << 20;
inline constexpr std::size_t kMaxLineBytes = 4096;
inline constexpr int kMaxIncludeDepth = 8;
inline constexpr std::size_t kMaxIncludes = 64;
/// Of blocks in blocks, and of selectors in selectors.
inline constexpr int kMaxNesting = 16;
inline constexpr std::size_t kMaxCases = 1000;
/// Reading stops after this many mistakes.
inline constexpr std::size_t kMaxErrors = 20;
inline constexpr std::uint64_t kMaxNodes = 99;

/// Text of an included file, or why it cannot be had. `path` is as written, below the includer's directory.
using Loader = std::function<tl::expected<std::string, std::string>(const std::string& path)>;

struct Source {
  std::string name;  // for errors; includes are looked for beside it
  std::string text;
};

struct ParseOptions {
  /// Values of params and matrices that replace those of the file ("seed" of the cluster line, too: it is the
  /// one key that every scenario has as a param).
  std::map<std::string, std::string> params;
  /// Empty: every include is a mistake.
  Loader load;
};

/// One case: a matrix has its first value unless options name another.
tl::expected<Scenario, Errors> parse(const Source& source, const ParseOptions& options = {});
/// All cases of the matrices, the last matrix turning fastest. One case without a matrix.
tl::expected<std::vector<Scenario>, Errors> expand(const Source& source, const ParseOptions& options = {});

/// What the scenario uses that this backend ("sim" or "process") does not have: names of verbs and events,
/// sorted. Empty: it can run.
std::vector<std::string> unsupported(const Scenario& scenario, std::string_view backend);

/// For the command line and tests: one predicate, one selector; names of nodes need no cluster.
tl::expected<Predicate, Errors> parse_predicate(std::string_view text);
tl::expected<Selector, Errors> parse_selector(std::string_view text);

}  // namespace kiwi::lab::script
