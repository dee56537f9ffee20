#pragma once

// THE tables of marks and mutants (fault_points.hpp says what these are): what the code may name, what
// kiwi-fault lists, what the documentation shows. Only in the laboratory's build; belongs to
// kiwi_fault_points.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace kiwi::fault {

struct MutantRow {
  std::string_view name;
  std::string_view id;    // X..: known from other systems; K..: our own. See docs/lab.md
  std::string_view what;  // what the code does wrong when it is on
};

// clang-format off
#define KIWI_FAULT_MUTANTS(X)                                                                                       \
  X(vote_before_sync,            "X01", "a vote is sent before it is durable")                                      \
  X(log_sync_skipped,            "X02", "the log database writes without sync")                                     \
  X(pre_vote_counts_as_vote,     "X05", "a late pre-vote counts as a vote of the real election")                    \
  X(commit_earlier_term,         "X07", "entries of earlier terms are committed by counting")                       \
  X(quorum_unsorted,             "X08", "the majority is read from an unsorted list")                               \
  X(truncate_on_shorter_append,  "X09", "an append that ends earlier than the log cuts what follows")               \
  X(ack_before_sync,             "X11", "a follower acknowledges what it has not synced")                           \
  X(leader_counts_unsynced,      "X12", "the leader counts its own log before it is durable")                       \
  X(waiters_dropped,             "X13", "a leader that steps down forgets its waiting clients")                     \
  X(reads_before_noop,           "X14", "a new leader serves reads before its own entry is committed")              \
  X(change_before_own_commit,    "X15", "a membership change is accepted before the leader committed in its term, or on an uncommitted one") \
  X(joint_left_at_once,          "X16", "a leader leaves a joint membership that is not committed")                 \
  X(truncated_membership_kept,   "X17", "the membership of truncated entries goes on to count")                     \
  X(learners_counted,            "X19", "learners count in every majority")                                         \
  X(reads_unconfirmed,           "X20", "the leader serves reads without asking who leads")                         \
  X(lease_kept_in_transfer,      "X21", "the lease is kept while leadership is handed over")                        \
  X(lease_by_wall_clock,         "X22", "the lease is measured with the wall clock")                                \
  X(read_before_apply,           "X23", "a read does not wait until its index is applied")                          \
  X(applied_index_apart,         "X24", "the applied index is not written with the data")                           \
  X(snapshot_forgets_members,    "X18", "an installed snapshot without membership entries leaves no members at all")                \
  X(flush_trigger_lost,          "X27", "after one flush for a purge, others are not asked for any more")                \
  X(log_cut_at_bad_checksum,     "X28", "recovery takes every bad record for a torn tail")                          \
  X(failed_sync_trusted,         "X29", "a failed write or sync of the log is retried and counted as done")         \
  X(no_dir_sync,                 "X30", "directories are not synced around renames")                                \
  X(pre_vote_ignores_log,        "X33", "a pre-vote is granted to a shorter log")                                   \
  X(no_check_quorum,             "X34", "a leader that hears nobody leads on")                                      \
  X(purge_beyond_durable,        "X35", "the log is purged up to what is applied, not to what is durable")          \
  X(local_clock_stamps,          "X36", "each replica stamps entries with its own clock")                           \
  X(timeout_called_refusal,      "X38", "a write that timed out is reported as not done")                           \
  X(completion_by_index,         "X39", "a write of entries replaced meanwhile counts for the new ones")            \
  X(term_not_stored,             "X40", "a term learned from a leader is not made durable")                         \
  X(majority_off_by_one,         "K01", "one vote or acknowledgement less than a majority is enough")               \
  X(vote_forgotten,              "K02", "a restarted node does not know its vote")                                  \
  X(second_vote,                 "K03", "a node votes for whoever asks, also twice in a term")                      \
  X(vote_ignores_log,            "K04", "a vote is granted to a shorter log")                                       \
  X(conflict_kept,               "K05", "a follower keeps its entry where the leader has another")                  \
  X(previous_unchecked,          "K06", "a follower appends without comparing the entry before")                    \
  X(commit_beyond_match,         "K07", "a follower commits entries the leader has not compared")                   \
  X(heartbeat_commit_beyond,     "K08", "heartbeats carry the commit index to those whose log is not compared")     \
  X(stale_leader_obeyed,         "K09", "appends of an earlier term's leader are taken")                            \
  X(round_not_echoed,            "K10", "any answer confirms the newest round of reads")                            \
  X(follower_serves_reads,       "K11", "followers answer reads from what they have")                               \
  X(answer_by_index,             "K12", "a waiting client gets the reply of whatever entry has its index")          \
  X(lost_leadership_as_refusal,  "K13", "writes pending when leadership is lost are reported as not done")          \
  X(lost_append_forgotten,       "K14", "an append that may be lost is never asked about again")                    \
  X(apply_before_durable,        "K15", "entries are applied that this node has not on disk")                       \
  X(batch_tail_lost,             "K16", "of a batch with several changed keys the last one is not stored")          \
  X(cache_keeps_deleted,         "K17", "the cache of records still shows a deleted key")                           \
  X(reply_to_next,               "K18", "of two ready replies of one connection the later one goes first")          \
  X(install_without_intent,      "K40", "a received snapshot replaces the data before the intent is written down")         \
  X(install_log_kept,            "K41", "a start that finishes an install leaves the log as it was")                       \
  X(snapshot_file_unsynced,      "K43", "a received file of a snapshot is installed without having been synced")                \
  X(reserve_ignored,             "K50", "writes go on although the disks are nearly full")                                     \
  X(scrub_believes,              "K51", "the scrub takes every checksum for right")                                          \
  X(only_old_half_counted,       "K60", "in a joint membership the new voters' majority is not needed")             \
  X(only_new_half_counted,       "K61", "in a joint membership the old voters' majority is not needed")             \
  X(promoted_unlevel,            "K62", "a learner becomes a voter before it has caught up")                        \
  X(lease_from_receipt,          "K70", "the lease counts from the answers, not from when the round was sent")      \
  X(lease_without_margin,        "K71", "the lease is as long as the promise: clocks are taken to run alike")       \
  X(promise_ends_with_process,   "K72", "a restarted voter forgets that it promised to vote for nobody")            \
  X(prompt_log_overtakes,        "K75", "a short write of the log overtakes what waits for the log store")                 \
  X(prompt_overtakes,            "K73", "what the state machine can do at once overtakes what waits for it")                 \
  X(lost_link_deposes,           "K74", "any lost connection to the leader counts as its end, also when it is heard")   \
  X(always_wrong,                "K19", "the canary: every 50th answer to a read of a string is another one")

struct MarkRow {
  std::string_view name;
  std::string_view what;
};

#define KIWI_FAULT_MARKS(X)                                                                                          \
  X("election.lost",             "a candidate's election ended with another leader or a later term")                 \
  X("election.split",            "a candidate's election ended with nothing decided in time")                        \
  X("election.early",            "a follower stood before its time-out: its leader's process was gone")              \
  X("election.won",              "a candidate became leader")                                                        \
  X("prevote.old_log",           "a pre-vote was refused because the log is behind")                                 \
  X("prevote.hears_leader",      "a pre-vote was refused because a leader is heard")                                 \
  X("prevote.crossed",           "a pre-vote was refused by a node that asks for the same at that moment")           \
  X("vote.asked_again",          "a vote was asked for once more when the link to its voter came up")                \
  X("prevote.stale_round",       "a pre-vote of an earlier round was not counted")                                   \
  X("vote.refused",              "a real vote was refused")                                                          \
  X("vote.refused_twice",        "a real vote was refused because it was given to another")                          \
  X("vote.issued",               "a vote was given and not yet durable")                                             \
  X("vote.synced",               "a vote became durable and its reply leaves")                                       \
  X("vote.late",                 "a vote came when its candidate was asking around again already")                   \
  X("log.overwritten",           "a follower removed entries that another leader's replace")                         \
  X("log.overwritten_unsynced",  "entries were replaced while they were being written")                              \
  X("append.held_back",          "new entries waited for what was on its way to the leader's disk")                    \
  X("append.rejected",           "a follower rejected an append")                                                    \
  X("append.repeated",           "an append brought entries that were there already")                                \
  X("append.stale_term",         "an append of an earlier term's leader was answered with the term")                 \
  X("append.backtracked_term",   "a rejection let the leader skip a whole term")                                     \
  X("append.late_rejection",     "a rejection came for an append that was answered already")                         \
  X("log.purged",                "entries at the beginning of the log were given up")                                \
  X("snapshot.wanted",           "a leader lacks the entries that a follower needs")                                 \
  X("snapshot.refused",          "a follower refused a snapshot, or could not receive it")                           \
  X("snapshot.done",             "a follower got past what a leader has purged")                                     \
  X("snapshot.log_reset",        "a log began anew behind an installed snapshot")                                    \
  X("snapshot.installed",        "a snapshot became the state of a follower")                                        \
  X("snapshot.built",            "a checkpoint of the data database became a snapshot")                              \
  X("install.staged",            "a received snapshot is checked, and about to be installed")                        \
  X("install.intent",            "the intent to install is durable: the new state counts")                           \
  X("install.old_aside",         "an install: the old data database is set aside")                                   \
  X("install.new_in_place",      "an install: the received files are the data database")                             \
  X("install.opened",            "an install: the new data database is open")                                        \
  X("install.intent_removed",    "an install: the log follows, and the intent is gone")                              \
  X("install.old_removed",       "an install: the old data database is gone")                                        \
  X("install.resumed",           "a start found an install that a crash had interrupted")                            \
  X("data.set_aside",            "a start set a damaged data database aside")                                        \
  X("follower.probed",           "a follower's log is searched for the place where it agrees")                       \
  X("follower.window_full",      "the window of appends to a follower is full")                                      \
  X("follower.asked_again",      "a follower was asked whether all appends arrived")                                 \
  X("follower.lost",             "the transport lost what was on its way to a follower")                             \
  X("follower.fetched",          "entries for a follower were read back from disk")                                  \
  X("leader.no_quorum",          "a leader stepped down because it heard no majority")                               \
  X("leader.own_disk",           "a leader stepped down because its disk was in the way")                            \
  X("leader.no_commit",          "a leader stepped down because nothing it appended got through")                    \
  X("leader.no_state",           "a leader whose data was lost stepped down once another log was level")             \
  X("leader.handed_over",        "a leader without room on its disk asked another node to lead")                      \
  X("append.no_room",            "a follower without room took no more entries")                                      \
  X("disk.low",                  "a node's disk is nearly full")                                                      \
  X("disk.room_again",           "a node's disk has room again")                                                      \
  X("write.refused_no_space",    "a write was refused because disks are nearly full")                                 \
  X("node.out_of_service",       "a node closed its data and waits to open it again")                                 \
  X("node.in_service_again",     "a node opened its data again, in the same process")                                 \
  X("scrub.round",               "a scrub read all tables of a database once")                                        \
  X("scrub.damage_found",        "a scrub found what was not what was written")                                       \
  X("leader.later_term",         "a leader met a later term")                                                        \
  X("leader.behind_others",      "a leader committed through others before its own disk was done")                   \
  X("leader.noop_committed",     "a leader's first own entry is committed")                                          \
  X("leader.inherited_entries",  "a leader began with entries of earlier terms not known to be committed")           \
  X("leader.no_voter",           "a leader was left out of the committed membership")                                \
  X("membership.joint",          "a learner was level, and the joint entry was appended")                            \
  X("membership.left_joint",     "a leader appended the end of a joint membership")                                  \
  X("membership.cancelled",      "a change was cancelled before its node had caught up")                             \
  X("membership.rolled_back",    "a membership entry was truncated")                                                 \
  X("membership.told_removed",   "a removed node heard from a voter that it was removed")                            \
  X("membership.stood_unasked",  "a node stood that its own membership does not call a voter")                       \
  X("transfer.begun",            "a leader began to hand over")                                                      \
  X("transfer.asked",            "the target of a transfer is level and was asked to stand")                         \
  X("transfer.aborted",          "a transfer took too long, and the leader leads on")                                \
  X("read.confirmed",            "a quorum confirmed a round of reads")                                              \
  X("read.confirmed_by_commit",  "a read was confirmed by the commit of a later entry")                              \
  X("read.by_lease",             "a read was confirmed by the leader's lease")                                       \
  X("read.round_waited",         "a round of reads waited for the answers to those before")                          \
  X("read.waited_for_apply",     "a confirmed read waited until its index was applied")                              \
  X("read.failed_at_step_down",  "a waiting read failed because leadership was lost")                                \
  X("read.held",                 "a reply waits until the time it is true for is in the log")                        \
  X("read.released",             "a held reply was released by an applied stamp")                                    \
  X("write.unknown",             "a client was told that the outcome of its write is unknown")                       \
  X("write.timed_out",           "a write was given up because it took too long")                                    \
  X("write.replaced",            "another entry was committed in the place of a waiting write")                      \
  X("write.refused_overloaded",  "a write was refused because of a limit")                                           \
  X("apply.at_once",             "entries were applied on the core's own thread")                                        \
  X("apply.many",                "a batch of several entries was applied")                                           \
  X("apply.fetched",             "entries to be applied were read back from disk")                                   \
  X("log.at_once",               "a write of the log was made durable on the core's own thread")                     \
  X("log.group_of_many",         "several writes of the log shared one sync")                                        \
  X("log.poisoned",              "a log store refuses to go on after its first failure")                             \
  X("log.cache_evicted",         "entries left memory")                                                              \
  X("log.torn_tail_cut",         "recovery cut a torn tail of the log")                                              \
  X("log.damage_refused",        "recovery found damage that is no torn tail")                                       \
  X("log.rewriting",             "recovery is about to write what it found in the log to a synced table")             \
  X("log.rewritten",             "recovery wrote what it found in the log to a synced table")                        \
  X("manifest.torn_tail_cut",    "recovery cut a torn tail of a MANIFEST")                                           \
  X("data.flushed",              "the data database wrote its memtable")                                             \
  X("data.replayed",             "after a restart the log was applied again from below its end")                     \
  X("data.failed",               "the data database failed and the machine stopped")                                 \
  X("key.tick_proposed",         "the leader proposed a tick because deadlines are due")                             \
  X("key.expired",               "an expired key was removed")                                                       \
  X("peer.refused_instance",     "a peer with another data directory under a known id was refused")                  \
  X("peer.bound",                "a peer's data directory was bound to its id")                                      \
  X("frame.corrupt",             "a connection was dropped because of a frame that cannot be right")                 \
  X("storage.late_answer",       "an answer of storage came after its request was given up")                         \
  X("storage.target_down",       "the adaptor answered for a storage actor that is gone")                            \
  X("client.paused",             "a client's connection was not read because it was full")
// clang-format on

inline constexpr MutantRow kMutants[] = {
#define KIWI_FAULT_ROW(name, id, what) {#name, id, what},
    KIWI_FAULT_MUTANTS(KIWI_FAULT_ROW)
#undef KIWI_FAULT_ROW
};
enum class Mutant : std::uint8_t {
#define KIWI_FAULT_NAME(name, id, what) name,
  KIWI_FAULT_MUTANTS(KIWI_FAULT_NAME)
#undef KIWI_FAULT_NAME
};
inline constexpr MarkRow kMarks[] = {
#define KIWI_FAULT_ROW(name, what) {name, what},
    KIWI_FAULT_MARKS(KIWI_FAULT_ROW)
#undef KIWI_FAULT_ROW
};

inline bool is_mark(std::string_view name) {
  for (const auto& row : kMarks)
    if (row.name == name)
      return true;
  return false;
}

/// Place in kMarks; a name that is not there does not compile.
consteval std::size_t mark_number(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kMarks); ++i)
    if (kMarks[i].name == name)
      return i;
  throw "no such mark in messages/fault_tables.hpp";
}

inline std::array<bool, std::size(kMutants)> mutants{};
inline bool switched_on(Mutant mutant) { return mutants[static_cast<std::size_t>(mutant)]; }

/// Switches a mutant on for the rest of the process, or until all_off(). The error lists all names. Before
/// any code that asks for them runs.
tl::expected<void, std::string> switch_on(std::string_view name);
void all_off();

/// Hears of every mark that is passed, in the thread that passed it. Null: nobody.
using MarkSink = void (*)(std::size_t mark);
void set_mark_sink(MarkSink sink);
void pass(std::size_t mark);

}  // namespace kiwi::fault
