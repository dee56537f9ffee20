#pragma once

// One client of the load generator on a non-blocking socket: commands with the time they count from, and
// their replies in order.

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>

#include "lab/resp/reply_reader.hpp"

namespace kiwi::bench {

/// The server cannot be reached, hung up, or answered what is no RESP.
struct ConnectionFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Connection {
 public:
  /// Throws ConnectionFailed.
  Connection(const std::string& host, std::uint16_t port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  /// Where to append a command; after that, asked().
  std::string& out() { return out_; }
  /// The command appended last counts from this time.
  void asked(std::uint64_t since_us) { since_us_.push_back(since_us); }
  std::size_t unanswered() const { return since_us_.size(); }

  /// Writes what the socket takes. True: there is more.
  bool write_some();
  /// Reads what is there and calls `answered(since_us, reply)` for each reply.
  template <class Answered>
  void read_some(Answered answered) {
    fill();
    while (auto reply = reader_.next()) answered(take_since(), *reply);
    check();
  }

 private:
  void fill();
  std::uint64_t take_since();
  void check() const;

  int fd_ = -1;
  std::string out_;
  std::size_t written_ = 0;
  lab::ReplyReader reader_;
  std::deque<std::uint64_t> since_us_;
  bool ended_ = false;
};

}  // namespace kiwi::bench
