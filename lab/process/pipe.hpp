#pragma once

// One direction of one proxied connection: frames come in, wait as the faults of the link want it, go out.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "lab/process/frames.hpp"
#include "lab/process/loop.hpp"
#include "lab/process/proxy_link.hpp"

namespace kiwi::lab {

class Pipe {
 public:
  /// A stream that is stopped for so long is reset: what TCP_USER_TIMEOUT of the nodes would do.
  static constexpr Time kStall = std::chrono::seconds(5);
  /// From the loss of a frame to the reset that it costs.
  static constexpr Time kGiveUp = std::chrono::milliseconds(200);
  /// More is not read ahead.
  static constexpr std::size_t kMostBytes = 4u << 20;

  struct Host {
    /// A whole frame came in, before anything is done with it.
    std::function<void(const ProxyLink& link, const CutFrame& frame)> seen;
    /// The connection must be reset.
    std::function<void(const char* why)> give_up;
    /// Everything that came before the end of the stream has gone out.
    std::function<void()> drained;
  };

  Pipe(Loop& loop, ProxyLink& link, ProxyCounts& counts, Host host);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  ProxyLink& link() { return link_; }
  /// Bytes of the source.
  void feed(std::string_view bytes);
  /// The source ended.
  void end();
  bool ended() const { return ended_; }
  bool full() const { return bytes_ >= kMostBytes; }
  /// What came goes nowhere from now on, and after a while the connection is given up.
  void swallow();
  /// Frames that went through before come once more.
  void push_again(std::string_view kind, std::string bytes);
  /// Held frames of this kind ("any": all) may go on. Returns how many.
  std::size_t release(std::string_view kind);
  std::size_t held() const { return held_.size(); }

  /// The destination takes bytes now.
  void open(const Fd& to) { to_ = &to; }
  /// Sends what is due. True: the destination is full, call again when it is writable.
  bool pump();
  /// pump() at the next chance, for faults were changed or a handler must not send.
  std::function<void()> wake;

 private:
  void admit(CutFrame frame);
  void queue(std::string_view kind, std::string bytes, bool in_order);
  Time due(std::string_view kind, std::size_t bytes, bool in_order);
  void watch_stall();
  void wake_at(Time when);
  bool write_some();

  Loop& loop_;
  ProxyLink& link_;
  ProxyCounts& counts_;
  Host host_;
  const Fd* to_ = nullptr;
  FrameCutter cutter_;
  struct Out {
    std::string_view kind;
    std::string bytes;
  };
  std::multimap<Time, Out> queue_;
  std::deque<Out> held_;
  std::string current_;  // being written
  std::size_t written_ = 0;
  std::size_t bytes_ = 0;  // in queue_ and held_
  Time last_due_{0};
  bool ended_ = false;
  bool broken_ = false;  // a frame was lost: nothing behind it passes
  bool swallows_ = false;
  Loop::Id waker_ = 0;
  Time wakes_at_{0};
  Loop::Id stall_ = 0;
  Loop::Id give_up_ = 0;
};

}  // namespace kiwi::lab
