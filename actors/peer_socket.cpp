#include "actors/peer_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace kiwi {
namespace {

constexpr int kIdleSeconds = 10;  // before the first keep-alive probe
constexpr int kProbeSeconds = 3;  // between two
constexpr int kProbes = 3;
constexpr int kUnackedMilliseconds = 5000;

std::string error_text(int code) { return std::generic_category().message(code); }

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

OwnedSocket::~OwnedSocket() {
  if (fd_ >= 0)
    ::close(fd_);
}

tl::expected<ListeningSocket, SocketError> listen_on(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* raw = nullptr;
  auto service = std::to_string(port);
  if (int code = ::getaddrinfo(address.empty() ? nullptr : address.c_str(), service.c_str(), &hints, &raw);
      code != 0)
    return tl::unexpected(std::string(::gai_strerror(code)));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
  OwnedSocket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket)
    return tl::unexpected(error_text(errno));
  set_option(socket.fd(), SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::bind(socket.fd(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket.fd(), SOMAXCONN) != 0 ||
      ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return tl::unexpected(error_text(errno));
  auto real_port = bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                               : reinterpret_cast<sockaddr_in*>(&bound)->sin_port;
  return ListeningSocket{std::move(socket), ntohs(real_port)};
}

void tune_peer_socket(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kIdleSeconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbeSeconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnackedMilliseconds);
}

void hang_up(caf::io::abstract_broker& broker, caf::io::connection_handle hdl) {
  if (!broker.valid(hdl))
    return;
  ::shutdown(fd_of(hdl), SHUT_RDWR);
  broker.close(hdl);
}

std::size_t send_now(caf::io::connection_handle hdl, std::string_view bytes) {
  auto sent = ::send(fd_of(hdl), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

std::string remote_address(caf::io::abstract_broker& broker, caf::io::connection_handle hdl) {
  return broker.remote_addr(hdl) + ":" + std::to_string(broker.remote_port(hdl));
}

}  // namespace kiwi
