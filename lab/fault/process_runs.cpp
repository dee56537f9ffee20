#include "lab/fault/process_runs.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "lab/process/process_backend.hpp"
#include "lab/script/settings.hpp"
#include "lab/world/message_text.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {
namespace {

/// A power failure, and a write that is acknowledged and lost, need a node that keeps what it has not synced.
bool wants_buffers(const script::Scenario& scenario) {
  const auto verbs = verbs_in(scenario);
  return std::any_of(verbs.begin(), verbs.end(),
                     [](const std::string& verb) { return verb == "power-fail" || verb == "lose-writes"; });
}

std::vector<std::string> mutants_on() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::size(fault::kMutants); ++i) {
    if (fault::mutants[i]) {
      names.emplace_back(fault::kMutants[i].name);
    }
  }
  return names;
}

}  // namespace

std::string default_node_program() {
  std::error_code ignored;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& path : {here / "kiwi-node-fault", here / "../../node/fault/kiwi-node-fault"}) {
    if (std::filesystem::is_regular_file(path, ignored)) {
      return path.lexically_normal().string();
    }
  }
  return "";
}

tl::expected<MakeBackend, std::string> make_process_backend(const std::string& node,
                                                            const std::filesystem::path& scratch,
                                                            RunOptions& options) {
  const std::string program = node.empty() ? default_node_program() : node;
  if (program.empty()) {
    return tl::unexpected(
        std::string("there is no kiwi-node-fault beside this program; --node says which to run"));
  }
  const auto means = find_means(program);
  if (!means) {
    return tl::unexpected(means.error());
  }
  const auto mutants = mutants_on();
  if (!mutants.empty() && !means->fault_build) {
    return tl::unexpected(program + " has no mutants: that is for kiwi-node-fault");
  }
  options.backend = "process";
  options.lacks = [means = *means](const script::Scenario& scenario) { return lacking(scenario, means); };
  return [means = *means, mutants, scratch](
             const script::Scenario& scenario,
             Listener& listener) -> tl::expected<std::unique_ptr<Backend>, std::string> {
    ProcessOptions process;
    process.means = means;
    process.mutants = mutants;
    process.scratch = scratch;
    process.settings = script::cluster_settings(scenario);
    process.disk_buffers = means.fault_build && wants_buffers(scenario);
    process.message_fields = message_fields;
    process.waits_for_messages = waits_for_messages(scenario);
    return ProcessBackend::start(process, listener);
  };
}

}  // namespace kiwi::lab
