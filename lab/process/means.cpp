#include "lab/process/means.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <set>

#include "lab/script/settings.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

/// Done with signals and directories alone.
const std::set<std::string_view> kWithoutFaultBuild = {"crash",  "restart", "stop",       "pause",
                                                       "resume", "wipe",    "clone-disk", "flip"};

struct Walk {
  std::set<std::string> verbs;
  std::set<std::string> events;
  std::set<std::string> options;  // "full after="

  void call(const std::string& verb, const std::map<std::string, std::string>& with) {
    verbs.insert(verb);
    for (const auto& [key, value] : with) {
      options.insert(verb + " " + key + "=");
    }
  }

  void block(const script::Block& block) {
    for (const auto& [verb, weight] : block.when.faults) {
      verbs.insert(verb);
    }
    for (const auto& event : block.when.event) {
      if (event.kind == script::Event::Kind::disk) {
        events.insert("when disk");
      } else if (event.kind == script::Event::Kind::mark) {
        events.insert("when mark");
      } else if (event.kind == script::Event::Kind::message) {
        events.insert("when msg");
      }
    }
    for (const auto& statement : block.body) {
      if (const auto* call = std::get_if<script::VerbCall>(&statement.value)) {
        this->call(call->verb, call->options);
      } else if (const auto* inner = std::get_if<script::Block>(&statement.value)) {
        this->block(*inner);
      }
    }
  }
};

Walk walk(const script::Scenario& scenario) {
  Walk walk;
  for (const auto& block : scenario.blocks) {
    walk.block(block);
  }
  for (const auto& action : scenario.actions) {
    walk.call(action.verb, action.options);
  }
  return walk;
}

}  // namespace

tl::expected<Means, std::string> find_means(const std::filesystem::path& program) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(program, ignored)) {
    return tl::unexpected("there is no program " + program.string() + " (--node says which one to run)");
  }
  std::string quoted = "'";
  for (const char c : std::filesystem::absolute(program).string()) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      ::popen((quoted + "' --help 2>/dev/null").c_str(), "r"), ::pclose);
  std::string help;
  std::array<char, 4096> bytes;
  for (std::size_t got = 1; pipe && got > 0;) {
    got = std::fread(bytes.data(), 1, bytes.size(), pipe.get());
    help.append(bytes.data(), got);
  }
  if (help.find("--initial-cluster") == std::string::npos) {
    return tl::unexpected(program.string() + " is no kiwi-node");
  }
  return Means{std::filesystem::absolute(program), help.find("--dial-map") != std::string::npos};
}

std::vector<std::string> verbs_in(const script::Scenario& scenario) {
  const auto verbs = walk(scenario).verbs;
  return {verbs.begin(), verbs.end()};
}

bool waits_for_messages(const script::Scenario& scenario) {
  return walk(scenario).events.contains("when msg");
}

std::vector<std::string> lacking(const script::Scenario& scenario, const Means& means) {
  const Walk found = walk(scenario);
  std::vector<std::string> missing;
  for (const auto& verb : found.verbs) {
    const auto* row = script::find_verb(verb);
    const bool ours = row != nullptr && (row->performer == script::Performer::backend || verb == "swizzle");
    if (!means.fault_build && ours && row->process && !kWithoutFaultBuild.contains(verb)) {
      missing.push_back(verb + " (needs kiwi-node-fault)");
    }
  }
  for (const auto& event : found.events) {
    if (event == "when disk" || !means.fault_build) {
      missing.push_back(event);
    }
  }
  const auto settings = script::cluster_settings(scenario);
  const auto usual = script::cluster_settings({});
  if (settings.strategy != usual.strategy) {
    missing.emplace_back("strategy=");  // the machine decides what runs next
  }
  if (!means.fault_build) {
    const auto differs = [&](const char* key, bool changed) {
      if (changed) {
        missing.push_back(std::string(key) + "= (needs kiwi-node-fault)");
      }
    };
    differs("net", settings.net != usual.net);
    differs("latency", settings.latency != usual.latency);
    differs("sync", settings.sync != usual.sync);
    differs("cache", settings.cache != usual.cache);
    // A release waits up to twice the least.
    differs("election", settings.election.second != 2 * settings.election.first);
  }
  // Writes have no numbers here, and a file system no capacity.
  for (const char* option : {"power-fail keep=", "full after=", "crash-at operations="}) {
    if (found.options.contains(option)) {
      missing.emplace_back(option);
    }
  }
  return missing;
}

}  // namespace kiwi::lab
