// kiwi-node: the command line.

#include <cstdio>
#include <string>
#include <vector>

#include "node/commands/commands.hpp"
#include "node/options.hpp"
#include "node/run_node.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (auto code = kiwi::run_subcommand(arguments))
    return *code;
  auto options = kiwi::parse_options(arguments);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().exit_code == 0 ? stdout : stderr);
    return options.error().exit_code;
  }
  return kiwi::run_node(*options);
}
