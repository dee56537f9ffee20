#include "server/help.hpp"

#include <string>
#include <vector>

#include "messages/assert.hpp"
#include "server/words.hpp"
#include "statemachine/command_arguments.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

Reply help_reply(std::string_view container) {
  const auto subcommands = subcommands_of(container);
  KIWI_ASSERT(!subcommands.empty(), "only containers have a help text");
  std::vector<Reply> lines;
  lines.push_back(
      Reply::simple(to_upper(container) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
  for (const auto& spec : subcommands) {
    lines.push_back(Reply::simple(command_syntax(spec)));
    lines.push_back(Reply::simple("    " + std::string(spec.summary)));
  }
  return Reply::array(std::move(lines));
}

}  // namespace kiwi
