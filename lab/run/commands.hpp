#pragma once

// Single commands of named clients: `do` lines, and the runner's own writes and reads at the end of a run.
// Each client has one connection that lasts; its commands are recorded in the history under the load "do".

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/run/backend.hpp"
#include "lab/run/recorder.hpp"
#include "lab/run/switchboard.hpp"
#include "lab/run/timeline.hpp"

namespace kiwi::lab {

inline constexpr std::string_view kDoLoad = "do";

/// How a command ended; without a reply the outcome is unknown, or it was never sent.
struct CommandResult {
  history::Outcome outcome = history::Outcome::unknown;
  std::optional<Reply> reply;
};

class Commands {
 public:
  struct Request {
    std::string client = "main";
    /// This node and no other; 0: any, and redirects are followed.
    NodeId on;
    std::vector<std::string> command;
    /// From now; then the outcome is unknown.
    Time timeout = std::chrono::seconds(10);
    /// The command only reads: it may be sent again when its outcome is unknown.
    bool read_only = false;
    /// Without `on`: after a refusal it is sent again until the timeout (each attempt is an operation of its
    /// own).
    bool persistent = true;
  };
  using Done = std::function<void(const CommandResult&)>;

  Commands(Backend& backend, Switchboard& switchboard, Timeline& timeline, Recorder& recorder);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  /// Commands of one client go one after the other. `done` is called once, unless the run ends before.
  void execute(Request request, Done done);

 private:
  class Client;
  Backend& backend_;
  Switchboard& switchboard_;
  Timeline& timeline_;
  Recorder& recorder_;
  std::map<std::string, std::unique_ptr<Client>> clients_;
};

}  // namespace kiwi::lab
