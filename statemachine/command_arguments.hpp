#pragma once

// What arguments a command takes, for COMMAND DOCS and the help texts.
//
// Notation of CommandSpec::arguments: items separated by blanks, each
//
//   name [#key] [:type] [?] [*] [=TOKEN] [@since] [ '[' items ']' ]
//
//   #key    number of the key specification that a key belongs to; 0 when absent
//   :type   string, integer, double, key, pattern, unix-time, oneof, block; pure-token when absent
//   ?       may be left out
//   *       may be given several times
//   =TOKEN  the word that stands before the argument, or that is the argument
//
// "key:key value:string condition:oneof?[nx=NX xx=XX]" is SET key value [NX|XX].

#include <string>
#include <string_view>
#include <vector>

#include "statemachine/command_table.hpp"

namespace kiwi {

struct CommandArgument {
  std::string_view name;
  std::string_view type;
  std::string_view token;
  std::string_view since;
  int key = 0;
  bool optional = false;
  bool multiple = false;
  std::vector<CommandArgument> arguments;
};
/// Asserts that the notation is right: it is part of the program.
std::vector<CommandArgument> parse_arguments(std::string_view notation);

/// "LIST [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID <client-id> ...]", for help texts.
std::string command_syntax(const CommandSpec& spec);

}  // namespace kiwi
