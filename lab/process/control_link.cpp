#include "lab/process/control_link.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <utility>

namespace kiwi::lab {

ControlLink::ControlLink(Loop& loop, Fd listening, Marked marked)
    : loop_(loop), listening_(std::move(listening)), marked_(std::move(marked)) {
  listening_watch_ = loop_.watch(listening_, EPOLLIN, [this](std::uint32_t) { accept(); });
}

ControlLink::~ControlLink() {
  drop();
  loop_.remove(listening_watch_);
}

void ControlLink::accept() {
  while (Fd socket = accept_from(listening_)) {
    drop();
    socket_ = std::move(socket);
    socket_watch_ = loop_.watch(socket_, EPOLLIN, [this](std::uint32_t) { read(); });
  }
}

void ControlLink::drop() {
  loop_.remove(std::exchange(socket_watch_, 0));
  socket_.close();
  waiting_.clear();
}

void ControlLink::read() {
  char bytes[4096];
  for (;;) {
    const auto got = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      break;
    }
    if (got <= 0) {
      drop();
      return;
    }
    waiting_.append(bytes, static_cast<std::size_t>(got));
    for (auto end = waiting_.find('\n'); end != std::string::npos; end = waiting_.find('\n')) {
      const std::string text = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      line(text);
    }
  }
}

void ControlLink::line(const std::string& text) {
  std::istringstream in(text);
  std::string word, number, rest;
  in >> word >> number;
  if (word == "mark") {
    marked_(number);
  } else if ((word == "ok" || word == "error") && number == std::to_string(asked_)) {
    std::getline(in >> std::ws, rest);
    answered_ = true;
    if (word == "ok") {
      answer_ = rest;
    } else {
      answer_ = tl::unexpected(rest);
    }
  }
}

bool ControlLink::tell(const std::string& command) {
  ++asked_;
  answered_ = false;
  const std::string text = std::to_string(asked_) + " " + command + "\n";
  return connected() && ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0;
}

tl::expected<std::string, std::string> ControlLink::ask(const std::string& command, Time patience,
                                                        const std::function<void()>& sent) {
  const Time until = loop_.now() + patience;
  const auto wait_for = [](const Fd& socket) {
    pollfd waiter{socket.get(), POLLIN, 0};
    return ::poll(&waiter, 1, 10) > 0;
  };
  for (accept(); !connected() && loop_.now() < until; accept()) {
    wait_for(listening_);
  }
  if (!tell(command)) {
    return tl::unexpected(std::string("it is not on its control socket"));
  }
  if (sent) {
    sent();
  }
  while (!answered_ && connected() && loop_.now() < until) {
    if (wait_for(socket_)) {
      read();
    }
  }
  if (!answered_) {
    return tl::unexpected("it did not answer the command '" + command + "'");
  }
  return answer_;
}

}  // namespace kiwi::lab
