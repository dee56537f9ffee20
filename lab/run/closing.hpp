#pragma once

// The end of a run: the loads stop, everything that is broken is mended, and then a healthy cluster must come
// back to one leader, equal state, a fresh write and a fresh read within the bound (settle=). With
// at-end=leave nothing is mended; then a majority must do without those that are gone.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lab/run/questions.hpp"
#include "lab/run/run_state.hpp"

namespace kiwi::lab {

class Closing {
 public:
  explicit Closing(RunState& run) : run_(run) {}
  void start();
  bool finished() const { return finished_; }

 private:
  void when_idle();
  void mend();
  void converge();
  void retry_converge();
  void fresh_write();
  void fresh_read(const std::string& value);
  void last_reads();
  void compare_digests();
  void fail(const std::string& why);
  std::vector<NodeId> expected_nodes();
  bool in_joint_configuration();

  RunState& run_;
  Time deadline_{0};
  std::size_t reads_left_ = 0;
  std::uint64_t writes_ = 0;
  bool finished_ = false;
};

}  // namespace kiwi::lab
