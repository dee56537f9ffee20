#pragma once

// A cluster that moves only when told to, in words. Every invariant of checker.hpp is watched.
//
//   cluster N [single]        N new nodes n1..nN, started; `single`: one entry per append
//   cluster N keep COUNT      the log is purged above so many entries; followers are live for 5 ticks
//   save nI                   its state machine makes durable what it applied
//   build nI                  its snapshot builder answers: snapshots for those that need one
//   receive nI [badly]        it has received what it was offered; or that failed
//   lose nI                   (down) the state machine's data is gone
//   tick nI COUNT             logical time at one node
//   deliver [nI->nJ] [COUNT]  messages of one link (or of all, oldest first), not those sent meanwhile
//   drop nI->nJ               what is on that link is lost
//   cut nI->nJ | mend         the link is down from now on; all links are up again
//   persist nI [COUNT]        its disk completes writes
//   fetch nI                  its log store answers reads of old entries
//   stall nI | unstall nI     settle leaves its disk alone from now on; does not any more
//   apply nI                  its state machine applies what it was handed
//   settle                    all of that until nothing happens any more (no ticks)
//   stand nI                  ticks nI until it asks for votes
//   elect nI                  the same, then settle
//   propose nI TEXT | read nI
//   crash nI | start nI
//   reads nI                  reads that were served or failed since the last time
//   show [nI]                 role, term, log (term/index...), durable, commit, applied texts
//   mail                      what is on the links

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/raft/sim_node.hpp"

namespace kiwi::raft {

class Stage {
 public:
  /// Does one command; returns what it prints (lines end with a newline; most commands print nothing).
  std::string command(const std::string& line);

 private:
  using Link = std::pair<std::size_t, std::size_t>;
  SimNode& node(std::size_t number) { return *nodes_.at(number - 1); }
  void collect();
  bool deliver_one(Link link);
  void settle();
  std::string show(std::size_t number);

  std::unique_ptr<Checker> checker_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::map<Link, std::deque<PeerMessage>> mail_;
  std::set<Link> cut_;
  std::set<std::size_t> stalled_;
  std::uint64_t next_token_ = 1;
};

}  // namespace kiwi::raft
