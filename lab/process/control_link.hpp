#pragma once

// The laboratory's end of a fault build's control socket (node/fault/control.hpp). One per node; it outlives
// the node's lives.

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "lab/process/loop.hpp"

namespace kiwi::lab {

class ControlLink {
 public:
  using Marked = std::function<void(const std::string& mark)>;

  ControlLink(Loop& loop, Fd listening, Marked marked);
  ~ControlLink();
  ControlLink(const ControlLink&) = delete;
  ControlLink& operator=(const ControlLink&) = delete;

  bool connected() const { return static_cast<bool>(socket_); }
  /// Waits for the node to connect, sends a command, and waits for its answer; at most `patience`. `sent`
  /// is called in between. The error says what went wrong.
  tl::expected<std::string, std::string> ask(const std::string& command, Time patience,
                                             const std::function<void()>& sent = {});

  /// Sends it and does not wait. False: it is not connected.
  bool tell(const std::string& command);

 private:
  void accept();
  void read();
  void line(const std::string& text);
  void drop();

  Loop& loop_;
  Fd listening_;
  Marked marked_;
  Loop::Id listening_watch_ = 0;
  Fd socket_;
  Loop::Id socket_watch_ = 0;
  std::string waiting_;
  std::uint64_t asked_ = 0;
  bool answered_ = false;
  tl::expected<std::string, std::string> answer_;
};

}  // namespace kiwi::lab
