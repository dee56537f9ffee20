#pragma once

#include <deque>
#include <string>
#include <vector>

#include "lab/run/loads.hpp"

namespace kiwi::lab {

/// One client of a load; loads.hpp says how it behaves.
class LoadClient final : public ConnectionOwner {
 public:
  LoadClient(Load& load, std::uint32_t number);
  ~LoadClient() override;

  /// A command may be given to it now.
  bool has_room() const;
  /// Requires has_room().
  void issue();
  void disconnect();
  bool idle() const { return in_flight_.empty() && waiting_.empty(); }
  /// Closed loop: begin, if nothing is planned and there is room.
  void wake();

  void on_connected(ConnectionId connection) override;
  void on_reply(ConnectionId connection, const Reply& reply) override;
  void on_closed(ConnectionId connection, const std::string& why) override;

 private:
  struct Issued {
    OperationId id = 0;
    std::vector<std::string> command;
    Timeline::Id deadline = 0;
  };
  struct Choice {
    std::string key;
    std::vector<std::string> command;
    bool writes = false;
  };

  Choice choose();
  std::uint32_t choose_key();
  Time now() const { return load_.context_.backend.now(); }
  void connect();
  /// Gives up the connection: what was sent is unknown, what was not is not done.
  void give_up(const std::string& why, bool tell_backend);
  void choose_other_node();
  void pause();
  void refused(const Reply& reply);
  void moved(std::string_view address);
  void timed_out();
  void after_operation();

  Load& load_;
  std::string name_;  // "L1/3", the entity of its chance
  ChanceStream commands_;
  ChanceStream keys_;
  ChanceStream nodes_;
  ChanceStream pauses_;
  std::uint64_t identity_ = 0;
  std::uint64_t values_ = 0;  // for unique ones
  ConnectionId connection_ = 0;
  bool open_ = false;
  bool preamble_due_ = false;  // the reply to READONLY comes first
  NodeId node_;
  NodeId redirect_;  // go there as soon as nothing is in flight
  std::uint32_t refusals_ = 0;
  Time not_before_{0};
  Timeline::Id wake_ = 0;
  std::deque<Issued> in_flight_;
  std::deque<Issued> waiting_;
};

}  // namespace kiwi::lab
