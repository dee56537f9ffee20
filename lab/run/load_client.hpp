#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/run/loads.hpp"

namespace kiwi::lab {

/// One client of a load; loads.hpp says how it behaves.
class LoadClient final : public ConnectionOwner {
 public:
  LoadClient(Load& load, std::uint64_t number);
  ~LoadClient() override;

  /// A command may be given to it now.
  bool has_room() const;
  /// Requires has_room().
  void issue();
  void disconnect();
  bool idle() const { return in_flight_.empty() && waiting_.empty(); }
  /// Closed loop: plan the next command, if none is planned and there is room.
  void wake();

  void on_connected(ConnectionId connection) override;
  void on_reply(ConnectionId connection, const Reply& reply) override;
  void on_closed(ConnectionId connection, const std::string& why) override;

 private:
  struct Issued {
    Recorder::OperationId id = 0;
    std::vector<std::string> command;
    Timeline::Id deadline = 0;
  };

  std::vector<std::string> choose();
  std::uint64_t choose_key();
  std::string unique_value();
  Time now() const { return load_.context_.backend.now(); }
  bool stays() const;
  void send(Issued issued);
  void connect();
  NodeId first_node();
  NodeId other_node();
  /// Goes to another node, or connects anew, as soon as nothing is in flight any more.
  void leave_for(NodeId node);
  /// Gives up the connection: what was sent is unknown, what was not is not done.
  void give_up(bool tell_backend);
  void pause();
  void refused(const Reply& reply);
  void moved(std::string_view address);
  void timed_out();
  void after_operation();

  Load& load_;
  std::uint64_t number_;
  std::string name_;  // "L1/3", the entity of its chance
  ChanceStream commands_;
  ChanceStream keys_;
  ChanceStream nodes_;
  ChanceStream pauses_;
  std::uint64_t values_ = 0;  // given out, each unique in the run
  std::uint64_t identity_ = 0;
  ConnectionId connection_ = 0;
  bool open_ = false;
  bool readonly_due_ = false;  // the reply to READONLY comes first
  bool leaving_ = false;
  bool lost_ = false;  // an outcome is unknown: somebody else from the next connection on
  NodeId node_;
  NodeId next_node_;  // while leaving
  std::uint32_t refusals_ = 0;
  Time not_before_{0};
  Timeline::Id wake_ = 0;
  std::deque<Issued> in_flight_;
  std::deque<Issued> waiting_;  // for the connection to be established
};

}  // namespace kiwi::lab
