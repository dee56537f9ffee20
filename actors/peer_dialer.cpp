#include "actors/peer_dialer.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <system_error>

namespace kiwi {
namespace {

// A handler waits for one slice only, then sends itself a message: so an exit message is seen in between.
constexpr int kSliceMilliseconds = 50;
constexpr int kSlices = kDialSeconds * 1000 / kSliceMilliseconds;

using DialerImpl = DialerActor::extend<caf::reacts_to<caf::tick_atom>>;
using DialedPromise = caf::typed_response_promise<DialedSocket>;

/// On loopback, dialing a free ephemeral port can connect the socket to itself.
bool connected_to_itself(int fd) {
  sockaddr_storage here{}, there{};
  socklen_t here_size = sizeof here, there_size = sizeof there;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) == 0 &&
         here_size == there_size && std::memcmp(&here, &there, here_size) == 0;
}

class Dialer {
 public:
  using Self = DialerImpl::stateful_pointer<Dialer>;
  static constexpr const char* name = "peer_dialer";

  explicit Dialer(Self self) : self_(self) {}

  DialedPromise dial(const Dial& dial) {
    auto promise = self_->make_response_promise<DialedSocket>();
    waiting_.push_back({dial, promise});
    if (waiting_.size() == 1)
      resolve();
    return promise;
  }

  /// One slice of waiting for the connection under way.
  void step() {
    if (!socket_)
      return;
    pollfd waiter{socket_.fd(), POLLOUT, 0};
    if (::poll(&waiter, 1, kSliceMilliseconds) > 0) {
      int code = 0;
      socklen_t size = sizeof code;
      ::getsockopt(socket_.fd(), SOL_SOCKET, SO_ERROR, &code, &size);
      settled(code);
    } else if (--slices_left_ <= 0) {
      settled(ETIMEDOUT);
    } else {
      self_->send(self_, caf::tick_atom_v);
    }
  }

  void stop(const caf::error& reason) {
    for (auto& request : waiting_) request.promise.deliver(caf::make_error(caf::sec::request_receiver_down));
    waiting_.clear();
    self_->quit(reason);
  }

 private:
  struct Waiting {
    Dial dial;
    DialedPromise promise;
  };

  void resolve() {
    const auto& dial = waiting_.front().dial;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    int code = ::getaddrinfo(dial.host.c_str(), std::to_string(dial.port).c_str(), &hints, &raw);
    if (code != 0) {
      refused_ = false;
      fail(::gai_strerror(code));
      return;
    }
    addresses_.reset(raw);
    next_ = raw;
    int count = 0;
    for (auto* a = raw; a != nullptr; a = a->ai_next) ++count;
    slices_each_ = std::max(1, kSlices / count);
    refused_ = true;
    error_ = EADDRNOTAVAIL;
    connect_next();
  }

  void connect_next() {
    while (next_ != nullptr) {
      auto* address = std::exchange(next_, next_->ai_next);
      socket_ = OwnedSocket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      slices_left_ = slices_each_;
      if (socket_ && ::connect(socket_.fd(), address->ai_addr, address->ai_addrlen) == 0) {
        settled(0);
        return;
      }
      if (socket_ && errno == EINPROGRESS) {
        self_->send(self_, caf::tick_atom_v);
        return;
      }
      failed_once(errno);
    }
    fail(std::generic_category().message(error_));
  }

  void settled(int code) {
    if (code == 0 && connected_to_itself(socket_.fd()))
      code = ECONNREFUSED;
    if (code != 0) {
      failed_once(code);
      socket_ = OwnedSocket();
      connect_next();
      return;
    }
    tune_peer_socket(socket_.fd());
    auto request = take_front();
    request.promise.deliver(DialedSocket{std::make_shared<OwnedSocket>(std::move(socket_))});
    proceed();
  }

  /// One address.
  void failed_once(int code) {
    error_ = code;
    refused_ = refused_ && code == ECONNREFUSED;
  }

  void fail(const std::string& reason) {
    take_front().promise.deliver(caf::make_error(caf::sec::cannot_connect_to_node, reason, refused_));
    proceed();
  }

  Waiting take_front() {
    auto request = std::move(waiting_.front());
    waiting_.pop_front();
    return request;
  }

  void proceed() {
    addresses_.reset();
    socket_ = OwnedSocket();
    if (!waiting_.empty())
      resolve();
  }

  struct FreeAddresses {
    void operator()(addrinfo* a) const { ::freeaddrinfo(a); }
  };

  Self self_;
  std::deque<Waiting> waiting_;  // the front one is under way
  std::unique_ptr<addrinfo, FreeAddresses> addresses_;
  addrinfo* next_ = nullptr;
  int slices_each_ = 0;
  int slices_left_ = 0;
  int error_ = 0;
  bool refused_ = false;  // by all addresses that were tried
  OwnedSocket socket_;
};

DialerImpl::behavior_type dialer(Dialer::Self self) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  return {
      [state](const Dial& dial) { return state->dial(dial); },
      [state](caf::tick_atom) { state->step(); },
  };
}

}  // namespace

DialProblem dial_problem(const caf::error& failure) {
  const auto& context = failure.context();
  if (failure == caf::sec::cannot_connect_to_node && context.match_elements<std::string, bool>())
    return {context.get_as<std::string>(0), context.get_as<bool>(1)};
  return {caf::to_string(context), false};
}

DialerActor spawn_dialer(caf::actor_system& system) { return system.spawn<caf::detached>(dialer); }

}  // namespace kiwi
