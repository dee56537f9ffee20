#include "lab/run/load_commands.hpp"

#include <utility>

namespace kiwi::lab {
namespace {

using Words = std::vector<std::string>;

const std::vector<LoadCommand> kCommands = {
    {"get", 'k', false, "GET of a register",
     [](std::string k, std::string) {
       return Words{"GET", std::move(k)};
     }},
    {"set", 'k', true, "SET of a unique value",
     [](std::string k, std::string v) {
       return Words{"SET", std::move(k), std::move(v)};
     }},
    {"getset", 'k', true, "GETSET of a unique value",
     [](std::string k, std::string v) {
       return Words{"GETSET", std::move(k), std::move(v)};
     }},
    {"del", 'k', true, "DEL of a register",
     [](std::string k, std::string) {
       return Words{"DEL", std::move(k)};
     }},
    {"incr", 'c', true, "INCR of a counter",
     [](std::string k, std::string) {
       return Words{"INCR", std::move(k)};
     }},
    {"decr", 'c', true, "DECR of a counter",
     [](std::string k, std::string) {
       return Words{"DECR", std::move(k)};
     }},
    {"count", 'c', false, "GET of a counter",
     [](std::string k, std::string) {
       return Words{"GET", std::move(k)};
     }},
    {"getx", 'x', false, "GET of a register that NX and XX write",
     [](std::string k, std::string) {
       return Words{"GET", std::move(k)};
     }},
    {"setnx", 'x', true, "SET NX of a unique value",
     [](std::string k, std::string v) {
       return Words{"SET", std::move(k), std::move(v), "NX"};
     }},
    {"setxx", 'x', true, "SET XX of a unique value",
     [](std::string k, std::string v) {
       return Words{"SET", std::move(k), std::move(v), "XX"};
     }},
    {"delx", 'x', true, "DEL of a register that NX and XX write",
     [](std::string k, std::string) {
       return Words{"DEL", std::move(k)};
     }},
};

}  // namespace

const std::vector<LoadCommand>& load_commands() { return kCommands; }

const LoadCommand* find_load_command(std::string_view word) {
  for (const LoadCommand& command : kCommands) {
    if (command.word == word) {
      return &command;
    }
  }
  return nullptr;
}

std::vector<std::string> final_read_of(std::string key) { return {"GET", std::move(key)}; }

}  // namespace kiwi::lab
