#include "node/fault/fault_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "messages/assert.hpp"
#include "messages/known_formats.hpp"

namespace kiwi::fault {
namespace {

bool read_dial_map(const std::string& text, FaultOptions& options) {
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    const auto equals = part.find('=');
    const auto colon = part.rfind(':');
    if (equals == std::string::npos || colon == std::string::npos || colon < equals) {
      return false;
    }
    std::uint64_t id = 0;
    std::uint16_t port = 0;
    const auto number = [&part](std::size_t from, std::size_t to, auto& value) {
      const auto [end, error] = std::from_chars(part.data() + from, part.data() + to, value);
      return error == std::errc{} && end == part.data() + to && value != 0;
    };
    if (!number(0, equals, id) || !number(colon + 1, part.size(), port)) {
      return false;
    }
    options.dial_map[NodeId(id)] = {part.substr(equals + 1, colon - equals - 1), port};
  }
  return true;
}

}  // namespace

tl::expected<FaultOptions, Usage> take_fault_options(std::vector<std::string>& arguments) {
  FaultOptions options;
  std::string dial_map;
  CLI::App app("For the laboratory, beside the flags of kiwi-node:", "kiwi-node-fault");
  app.set_help_flag();
  app.allow_extras();
  app.add_option("--control", options.control, "Unix socket of the laboratory")->type_name("PATH");
  app.add_option("--dial-map", dial_map, "Where peers are dialed instead of their address")
      ->type_name("2=HOST:PORT,...");
  app.add_option("--at-start", options.at_start, "A command of the control socket, done before anything else")
      ->type_name("LINE")
      ->allow_extra_args(false)
      ->take_all();
  app.add_option("--mutant", options.mutants, "A bug to be switched on, by name")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all();
  app.add_flag("--disk-buffers", options.disk_buffers,
               "Keep un-synced bytes in memory, so that a power failure can take them");
  app.add_option("--election-max-ms", options.election_max_ms,
                 "Longest election time-out; twice the least without it")
      ->type_name("MS");
  app.add_option("--cache-bytes", options.cache_bytes, "Entries kept in memory for peers that lag")
      ->type_name("BYTES");
  app.add_option("--formats", options.formats,
                 "Announces that it can read these formats, as an older program does")
      ->type_name("N")
      ->check(CLI::Range(kFirstFormats, kKnownFormats));
  if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
    const auto node = parse_options({"--help"});
    return tl::unexpected(Usage{node.error().text + "\n" + app.help(), 0});
  }
  auto reversed = arguments;
  std::reverse(reversed.begin(), reversed.end());  // as CLI11 wants vectors
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    return tl::unexpected(Usage{std::string("kiwi-node-fault: ") + e.what() + "\n", kExitUsage});
  }
  if (!read_dial_map(dial_map, options)) {
    return tl::unexpected(Usage{"kiwi-node-fault: --dial-map wants ID=HOST:PORT,...\n", kExitUsage});
  }
  arguments = app.remaining();
  return options;
}

}  // namespace kiwi::fault
