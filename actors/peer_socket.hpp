#pragma once

// The few things about TCP sockets that CAF does not offer.

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace kiwi {

/// A file descriptor with one owner; closed when nobody released it.
class OwnedSocket {
 public:
  OwnedSocket() = default;
  explicit OwnedSocket(int fd) : fd_(fd) {}
  OwnedSocket(OwnedSocket&& other) noexcept : fd_(other.release()) {}
  OwnedSocket& operator=(OwnedSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedSocket();
  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// "why" for a message to a human.
using SocketError = std::string;

struct ListeningSocket {
  OwnedSocket socket;
  std::uint16_t port = 0;
};
/// Listens on address:port; port 0 lets the system choose. The address is a number or a name; empty means
/// all.
tl::expected<ListeningSocket, SocketError> listen_on(const std::string& address, std::uint16_t port);

/// No Nagle; a silent or unreachable other side is noticed in seconds instead of a quarter of an hour. So
/// after a partition the link is new, not one that waits for a retransmission whose interval has grown to
/// minutes.
void tune_peer_socket(int fd);

/// Ends a connection at once and without a connection_closed_msg. CAF's own close() would keep the socket for
/// as long as the other side reads nothing. What the kernel already took is still sent.
void hang_up(caf::io::abstract_broker& broker, caf::io::connection_handle hdl);

/// CAF's handles are file descriptors (conn_hdl_from_socket).
inline int fd_of(caf::io::connection_handle hdl) { return static_cast<int>(hdl.id()); }

/// Sends what the kernel takes at once and says how much that was. CAF's own way costs two changes of the
/// epoll set and a pass of the loop per write; it is for what is left over, and it meets the errors that this
/// keeps silent about. Only while CAF holds no unsent bytes of this connection, or their order is lost.
std::size_t send_now(caf::io::connection_handle hdl, std::string_view bytes);

/// "host:port" of the other side.
std::string remote_address(caf::io::abstract_broker& broker, caf::io::connection_handle hdl);

}  // namespace kiwi
