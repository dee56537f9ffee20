#include "messages/cluster_id.hpp"

#include "messages/codec.hpp"

namespace kiwi {

ClusterId cluster_id_of(const Membership& initial, std::string_view token, std::string_view origin) {
  std::string text = "kiwi cluster\n";
  for (const auto& m : initial.members) text += to_string(m.id) + "=" + to_string(m.address) + "\n";
  text += token;
  if (!origin.empty()) {
    text += '\0';  // not in a token, which is an argument of a command line
    text += origin;
  }
  auto hash = checksum64(text);
  return ClusterId(hash != 0 ? hash : 1);
}

}  // namespace kiwi
