#include "node/commands/commands.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "node/commands/run.hpp"

namespace kiwi {
namespace {

const char* kExitCodes =
    "Exit codes: 0 done, nothing wrong found; 2 bad usage; 3 not the right directory or folder;\n"
    "4 the disk or the system failed; 6 damage found; 7 only the newest write is torn or damaged (inspect);\n"
    "8 the directory is in use; 9 the node cannot be reached or refused (backup);\n"
    "10 not confirmed, nothing was done (recover); 70 a bug";

void define_inspect(CLI::App& app, InspectArguments& a) {
  auto* sub =
      app.add_subcommand("inspect",
                         "Shows what lies in the directory of a stopped node and verifies every checksum; "
                         "changes nothing");
  sub->add_option("DIR", a.dir, "Data directory")->required();
  sub->add_flag("--json", a.json, "JSON instead of lines");
  sub->footer(kExitCodes);
}

int report(const CommandResult<int>& result) {
  if (result)
    return *result;
  std::fprintf(stderr, "kiwi-node: %s\n", result.error().text.c_str());
  return result.error().exit_code;
}

}  // namespace

std::optional<int> run_subcommand(const std::vector<std::string>& arguments) {
  CLI::App app("", "kiwi-node");
  app.require_subcommand(1);
  InspectArguments inspect;
  define_inspect(app, inspect);
  const auto& all = app.get_subcommands([](CLI::App*) { return true; });
  if (arguments.empty() || std::none_of(all.begin(), all.end(), [&](const CLI::App* sub) {
        return sub->get_name() == arguments.front();
      }))
    return std::nullopt;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // as CLI11 wants vectors
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "kiwi-node %s: %s\nTry kiwi-node %s --help.\n", arguments.front().c_str(), e.what(),
                 arguments.front().c_str());
    return kExitUsage;
  }
  if (app.got_subcommand("inspect"))
    return report(run_inspect(inspect));
  return std::nullopt;
}

}  // namespace kiwi
