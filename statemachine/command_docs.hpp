#pragma once

// COMMAND INFO and COMMAND DOCS: rows of the command table as replies, in the shapes of Redis 7.0.

#include <string_view>
#include <vector>

#include "messages/reply.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

/// One element of COMMAND and COMMAND INFO: ten elements, the last one its subcommands.
Reply command_info(const CommandSpec& spec);
/// The value of one pair in COMMAND DOCS.
Reply command_docs(const CommandSpec& spec);
/// How a key at `position` is used by this very command: "RW access update" as a set of flags.
std::vector<std::string_view> key_flags_of(const CommandSpec& spec, const RedisCommand& command,
                                           std::size_t position);
/// Without empty words.
std::vector<std::string_view> split_words(std::string_view text, char separator = ' ');

}  // namespace kiwi
