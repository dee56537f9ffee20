#include "bench/load/connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace kiwi::bench {

namespace {
[[noreturn]] void fail(const std::string& what) {
  throw ConnectionFailed(what + ": " + std::strerror(errno));
}
}  // namespace

Connection::Connection(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
    throw ConnectionFailed(host + " is no IPv4 address");
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0)
    fail("socket");
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd_);
    errno = error;
    fail("connect to port " + std::to_string(port));
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd_, F_SETFL, O_NONBLOCK);
}

Connection::~Connection() { close(fd_); }

bool Connection::write_some() {
  while (written_ < out_.size()) {
    const auto done = send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return true;
    if (done < 0 && errno != EINTR)
      fail("send");
    if (done > 0)
      written_ += static_cast<std::size_t>(done);
  }
  out_.clear();
  written_ = 0;
  return false;
}

void Connection::fill() {
  std::array<char, 64 << 10> bytes;
  const auto got = recv(fd_, bytes.data(), bytes.size(), 0);
  if (got > 0)
    reader_.feed({bytes.data(), static_cast<std::size_t>(got)});
  else if (got == 0)
    ended_ = true;
  else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
    fail("recv");
}

std::uint64_t Connection::take_since() {
  if (since_us_.empty())
    throw ConnectionFailed("a reply that nothing was asked for");
  const auto since = since_us_.front();
  since_us_.pop_front();
  return since;
}

void Connection::check() const {
  if (reader_.broken())
    throw ConnectionFailed("an answer that is no RESP");
  if (ended_)
    throw ConnectionFailed("the server hung up with " + std::to_string(since_us_.size()) + " unanswered");
}

}  // namespace kiwi::bench
