#include <algorithm>
#include <array>
#include <unordered_map>

#include "messages/assert.hpp"
#include "statemachine/commands/handler.hpp"
#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

constexpr std::size_t kMaxNameBytes = 24;

std::unordered_map<std::string_view, const CommandHandler*> all_handlers() {
  std::unordered_map<std::string_view, const CommandHandler*> all;
  for (auto group : {string_write_commands(), string_read_commands(), number_commands(), key_write_commands(),
                     key_read_commands(), expire_commands()})
    for (const auto& handler : group) {
      KIWI_ASSERT(handler.name.size() <= kMaxNameBytes, "names fit the buffer of find_handler");
      KIWI_ASSERT((handler.read == nullptr) != (handler.write == nullptr), "a command reads or writes");
      KIWI_ASSERT(all.emplace(handler.name, &handler).second, "command names are unique");
    }
  return all;
}

}  // namespace

const CommandHandler* find_handler(std::string_view name) {
  static const auto handlers = all_handlers();
  if (name.size() > kMaxNameBytes)
    return nullptr;
  std::array<char, kMaxNameBytes> lower;
  std::transform(name.begin(), name.end(), lower.begin(), to_lower);
  const auto found = handlers.find(std::string_view(lower.data(), name.size()));
  return found == handlers.end() ? nullptr : found->second;
}

bool arity_fits(const CommandHandler& handler, std::size_t argument_count) {
  const auto n = static_cast<long long>(argument_count);
  return handler.arity >= 0 ? n == handler.arity : n >= -handler.arity;
}

}  // namespace kiwi
