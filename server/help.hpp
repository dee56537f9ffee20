#pragma once

#include <string_view>

#include "messages/reply.hpp"

namespace kiwi {

/// "CLIENT HELP" and its like, from the command table: a heading, then two lines for each subcommand.
/// Requires a container of the table.
Reply help_reply(std::string_view container);

}  // namespace kiwi
