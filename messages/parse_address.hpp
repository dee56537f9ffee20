#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "messages/membership.hpp"

namespace kiwi {

/// HOST:REDISPORT@RAFTPORT. The host is a name, an IPv4 address, or an IPv6 address in brackets. An error
/// says what is wrong.
tl::expected<NodeAddress, std::string> parse_address(const std::string& text);

/// HOST:PORT, and where a cluster answers there.
struct HostPort {
  static constexpr const char* name = "HostPort";
  std::string host;
  std::uint16_t port = 0;
  auto fields() { return std::tie(host, port); }
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
tl::expected<HostPort, std::string> parse_host_port(const std::string& text);
std::string to_string(const HostPort& target);

}  // namespace kiwi
