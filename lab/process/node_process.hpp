#pragma once

// One node as a child process: started, signalled, looked after. It dies with the laboratory.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "messages/ids.hpp"

namespace kiwi::lab {

class NodeProcess {
 public:
  NodeProcess(NodeId id, std::filesystem::path dir, std::filesystem::path log);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  NodeId id() const { return id_; }
  /// What the node keeps.
  const std::filesystem::path& dir() const { return dir_; }
  const std::filesystem::path& log() const { return log_; }

  /// It must not run.
  tl::expected<void, std::string> start(const std::filesystem::path& program,
                                        const std::vector<std::string>& arguments);
  bool up() const { return pid_ > 0; }
  bool paused() const { return paused_; }
  /// SIGTERM was sent in this life.
  bool stopping() const { return stopping_; }
  /// It ended by itself, or was asked to stop and did not end in order.
  bool failed() const { return failed_; }
  const std::string& why() const { return why_; }
  /// It ended because its command line is wrong: a mistake of the laboratory.
  bool refused() const { return refused_; }
  std::uint64_t life() const { return life_; }

  /// Kills it and waits for its end.
  void kill();
  void terminate();
  void pause();
  void resume();
  /// It is about to kill itself, as it was told to.
  void expect_end() { expected_ = true; }
  /// It kills itself some time, if `will`; that end is no failure.
  void kills_itself(bool will) { may_kill_itself_ = will; }
  /// The last life ended so.
  bool killed_itself() const { return killed_itself_; }
  /// True: it ended since the last call.
  bool poll();

 private:
  void ended(int status);
  std::string last_words() const;

  NodeId id_;
  std::filesystem::path dir_;
  std::filesystem::path log_;
  pid_t pid_ = -1;
  bool paused_ = false;
  bool stopping_ = false;
  bool expected_ = false;
  bool may_kill_itself_ = false;
  bool killed_itself_ = false;
  bool failed_ = false;
  bool refused_ = false;
  std::string why_;
  std::uint64_t life_ = 0;
  std::uint64_t log_begin_ = 0;  // of this life, in the log's file
};

}  // namespace kiwi::lab
