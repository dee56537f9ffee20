// kiwi-node inspect DIR

#include <cstdio>

#include "node/commands/inspection.hpp"
#include "node/commands/run.hpp"
#include "node/commands/stopped_directory.hpp"

namespace kiwi {

CommandResult<int> run_inspect(const InspectArguments& arguments) {
  const auto kept = StoppedDirectory::take(arguments.dir);
  if (!kept)
    return tl::unexpected(kept.error());
  const auto inspection = inspect_directory(arguments.dir);
  std::fputs((arguments.json ? inspection_json(inspection) : inspection_text(inspection)).c_str(), stdout);
  return inspection.exit_code();
}

}  // namespace kiwi
