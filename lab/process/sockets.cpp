#include "lab/process/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kiwi::lab {
namespace {

constexpr int kBacklog = 128;

tl::unexpected<std::string> failed(const std::string& what) {
  return tl::unexpected(what + ": " + std::strerror(errno));
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  return ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0
             ? ntohs(address.sin_port)
             : 0;
}

bool bind_to(const Fd& socket, const sockaddr_in& address) {
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

void set(const Fd& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof on);
}

}  // namespace

void Fd::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

tl::expected<ReservedPort, std::string> reserve_port() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || !bind_to(socket, loopback(0))) {
    return failed("no free port");
  }
  // After the binding: a bind to port 0 elsewhere must not be given this port.
  set(socket, SOL_SOCKET, SO_REUSEADDR);
  const auto port = port_of(socket);
  return ReservedPort{std::move(socket), port};
}

tl::expected<Listening, std::string> listen_on_loopback() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || !bind_to(socket, loopback(0)) || ::listen(socket.get(), kBacklog) != 0) {
    return failed("cannot listen");
  }
  const auto port = port_of(socket);
  return Listening{std::move(socket), port};
}

tl::expected<Fd, std::string> listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return tl::unexpected("the path is too long for a socket: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return failed(path);
  }
  return socket;
}

Fd accept_from(const Fd& listening) {
  Fd socket(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) {
    set(socket, IPPROTO_TCP, TCP_NODELAY);
  }
  return socket;
}

Fd connect_to(std::uint16_t port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return socket;
  }
  set(socket, IPPROTO_TCP, TCP_NODELAY);
  const auto address = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    socket.close();
  }
  return socket;
}

int connect_error(const Fd& socket) {
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

void close_hard(Fd& socket) {
  if (socket) {
    const linger now{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket.close();
  }
}

}  // namespace kiwi::lab
