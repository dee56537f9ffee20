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

void define_backup(CLI::App& app, BackupArguments& a) {
  auto* sub = app.add_subcommand(
      "backup",
      "Writes the state of a node on this machine to a folder, while it serves or while it is stopped");
  sub->add_option("--dir", a.dir, "Data directory of the node")->required()->type_name("DATADIR");
  sub->add_option("--to", a.to, "Folder of the backup; must not exist, or be empty")
      ->required()
      ->type_name("FOLDER");
  sub->add_option("--address", a.address, "Where the running node is reached (default: what DATADIR says)")
      ->type_name("HOST:REDISPORT");
  sub->add_option("--rate", a.rate_bytes, "Most bytes copied in a second, with a unit; 0: no limit")
      ->transform(CLI::AsSizeValue(false))
      ->type_name("SIZE")
      ->default_str("0");
  sub->footer(kExitCodes);
}

void define_restore(CLI::App& app, RestoreArguments& a) {
  auto* sub = app.add_subcommand(
      "restore",
      "Makes the data directory of one node of a new cluster from a backup; the same for each node");
  sub->add_option("--from", a.from, "Folder of the backup")->required()->type_name("FOLDER");
  sub->add_option("--dir", a.dir, "Data directory to be made; must not exist, or be empty")
      ->required()
      ->type_name("DATADIR");
  sub->add_option("--id", a.id, "The node's id")->required()->check(CLI::PositiveNumber)->type_name("N");
  sub->add_option("--address", a.address, "What others reach the node by")
      ->required()
      ->type_name("HOST:REDISPORT@RAFTPORT");
  sub->add_option("--initial-cluster", a.initial_cluster,
                  "All members of the new cluster: 1=HOST:REDISPORT@RAFTPORT,2=...")
      ->required()
      ->type_name("LIST");
  sub->add_option("--cluster-token", a.cluster_token,
                  "Goes into the cluster id; give another when the same backup is restored a second time")
      ->type_name("T");
  sub->footer(kExitCodes);
}

void define_recover(CLI::App& app, RecoverArguments& a) {
  auto* sub = app.add_subcommand(
      "recover", "Makes the only node that is left of a cluster a cluster of one; writes may be lost");
  sub->add_option("--dir", a.dir, "Data directory of the stopped node")->required()->type_name("DATADIR");
  sub->add_flag("--unsafe-sole-survivor", a.sole_survivor,
                "The others are gone for ever, and what only they knew is given up");
  sub->add_flag("--accept-data-loss", a.accept_loss,
                "Do it; without this the command only says what would be lost");
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
  BackupArguments backup;
  RestoreArguments restore;
  RecoverArguments recover;
  define_inspect(app, inspect);
  define_backup(app, backup);
  define_restore(app, restore);
  define_recover(app, recover);
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
  if (app.got_subcommand("backup"))
    return report(run_backup(backup));
  if (app.got_subcommand("restore"))
    return report(run_restore(restore));
  return report(run_recover(recover));
}

}  // namespace kiwi
