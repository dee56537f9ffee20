// kiwi-node: the command line.

#include <cstdio>

#include "node/options.hpp"
#include "node/run_node.hpp"

int main(int argc, char** argv) {
  auto options = kiwi::parse_options({argv + 1, argv + argc});
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().exit_code == 0 ? stdout : stderr);
    return options.error().exit_code;
  }
  return kiwi::run_node(*options);
}
