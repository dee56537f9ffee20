#pragma once

// The loads of a run: many small clients, each a state machine over one connection at a time.
//
// What a client promises, so that histories can be judged:
//   - a command whose outcome is unknown is never sent again, and its client goes on under a new identity;
//   - a refused command is never sent again either: the next one is a new one;
//   - all that was in flight on a connection that is lost or given up is unknown; what was never sent is not
//   done.
// It follows MOVED, waits a little after other refusals, and changes to another
// node when one keeps refusing, does not answer, or closes. With target=spread or stale=yes it stays where it
// is.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/chance.hpp"
#include "lab/run/backend.hpp"
#include "lab/run/load_spec.hpp"
#include "lab/run/recorder.hpp"
#include "lab/run/switchboard.hpp"
#include "lab/run/timeline.hpp"

namespace kiwi::lab {

class LoadClient;

/// What a load's clients share with the runner.
struct LoadContext {
  Backend& backend;
  Switchboard& switchboard;
  Timeline& timeline;
  Recorder& recorder;
  Chance chance;
};

/// One load. Starts and stops as often as the script likes.
class Load {
 public:
  Load(LoadContext context, LoadSpec spec);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  const LoadSpec& spec() const { return spec_; }
  bool running() const { return running_; }
  /// False: it was running (start) or not running (stop) already.
  bool start();
  bool stop();
  void set_rate(double per_s);
  /// So many commands at once, spread over the clients, within what their pipelines take; returns how many.
  std::uint64_t burst(std::uint64_t commands);
  /// All clients drop their connections (outcomes of what was in flight are unknown); they connect again when
  /// they have something to send.
  void disconnect();
  /// Nothing in flight or waiting.
  bool idle() const;
  std::uint64_t issued() const { return issued_; }
  /// Arrivals for which no client had room.
  std::uint64_t shed() const { return shed_; }
  /// Every key that a command named, so that a last read can be made of it.
  const std::set<std::string>& touched() const { return touched_; }

 private:
  friend class LoadClient;
  void plan_arrival();
  void arrive();
  /// False: enough was issued.
  bool issue_on(LoadClient& client);
  bool exhausted() const { return issued_ >= spec_.max_ops; }

  LoadContext context_;
  LoadSpec spec_;
  std::uint64_t weights_ = 0;  // their sum
  ChanceStream arrivals_;
  ChanceStream picks_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
  std::set<std::string> touched_;
  std::vector<double> zipf_;  // cumulative weights of the keys; empty: uniform
  Timeline::Id arrival_ = 0;
  std::uint64_t issued_ = 0;
  std::uint64_t shed_ = 0;
  bool running_ = false;
};

}  // namespace kiwi::lab
