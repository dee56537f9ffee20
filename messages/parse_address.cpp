#include "messages/parse_address.hpp"

#include <charconv>

namespace kiwi {

namespace {

bool read_port(std::string_view text, std::uint16_t& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out != 0;
}

/// Takes the brackets off an IPv6 address. False: it needs them and has none.
bool read_host(std::string& host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    return true;
  }
  return host.find(':') == std::string::npos;
}

}  // namespace

tl::expected<NodeAddress, std::string> parse_address(const std::string& text) {
  auto bad = [&](const std::string& why) {
    return tl::unexpected("'" + text + "' is not HOST:REDISPORT@RAFTPORT: " + why);
  };
  auto at = text.rfind('@');
  if (at == std::string::npos)
    return bad("no '@RAFTPORT'");
  auto colon = text.rfind(':', at);
  if (colon == std::string::npos || colon == 0)
    return bad("no 'HOST:'");
  NodeAddress a;
  a.host = text.substr(0, colon);
  if (!read_host(a.host))
    return bad("an IPv6 address goes in brackets");
  if (!read_port(std::string_view(text).substr(colon + 1, at - colon - 1), a.redis_port))
    return bad("REDISPORT must be 1 to 65535");
  if (!read_port(std::string_view(text).substr(at + 1), a.raft_port))
    return bad("RAFTPORT must be 1 to 65535");
  if (a.redis_port == a.raft_port)
    return bad("the two ports are the same");
  return a;
}

tl::expected<HostPort, std::string> parse_host_port(const std::string& text) {
  auto bad = [&](const std::string& why) {
    return tl::unexpected("'" + text + "' is not HOST:PORT: " + why);
  };
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return bad("no 'HOST:'");
  HostPort target;
  target.host = text.substr(0, colon);
  if (!read_host(target.host))
    return bad("an IPv6 address goes in brackets");
  if (!read_port(std::string_view(text).substr(colon + 1), target.port))
    return bad("PORT must be 1 to 65535");
  return target;
}

std::string to_string(const HostPort& target) {
  const bool v6 = target.host.find(':') != std::string::npos;
  return (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port);
}

}  // namespace kiwi
