#pragma once

// File descriptors with one owner, and the few socket calls that the process backend needs. Loopback only.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace kiwi::lab {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { close(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

/// A port that nobody else gets while `hold` lives, but that a process which sets SO_REUSEADDR (a node) can
/// listen on, again and again.
struct ReservedPort {
  Fd hold;
  std::uint16_t port = 0;
};
tl::expected<ReservedPort, std::string> reserve_port();

struct Listening {
  Fd socket;  // non-blocking
  std::uint16_t port = 0;
};
tl::expected<Listening, std::string> listen_on_loopback();
/// A unix socket at `path`.
tl::expected<Fd, std::string> listen_at(const std::string& path);
/// Non-blocking, without Nagle; invalid when nobody waits.
Fd accept_from(const Fd& listening);
/// Begins to connect, without waiting; the socket becomes writable when it is decided. Invalid: refused
/// already.
Fd connect_to(std::uint16_t port);
/// 0, or the errno a finished connect() ended with.
int connect_error(const Fd& socket);
/// The next close() sends a reset instead of an orderly end.
void close_hard(Fd& socket);

}  // namespace kiwi::lab
