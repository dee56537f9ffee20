#pragma once

// The words of a load's mix. Keys of different kinds are apart ("L1:k3", "L1:c3", ...), so that each history
// can be checked by the checker that is quickest and strictest for it.

#include <string>
#include <string_view>
#include <vector>

namespace kiwi::lab {

struct LoadCommand {
  std::string_view word;  // in `mix`
  char kind;              // k: registers with unique values, c: counters, x: registers by NX and XX
  bool writes;
  std::string_view help;
  /// `value` is unique in the run.
  std::vector<std::string> (*make)(std::string key, std::string value);
};

/// All of them, in the order of the documentation.
const std::vector<LoadCommand>& load_commands();
/// Null: no such word.
const LoadCommand* find_load_command(std::string_view word);

/// The command that reads a key of this kind whole.
std::vector<std::string> final_read_of(std::string key);

}  // namespace kiwi::lab
