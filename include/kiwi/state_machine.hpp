#pragma once

// For applications that bring a state machine of their own.
//
//   class Counter : public kiwi::StateMachine { ... };
//   options.make_machine = [](const std::string& dir, const kiwi::Membership&)
//       -> kiwi::Result<std::unique_ptr<kiwi::StateMachine>> { return std::make_unique<Counter>(dir); };
//
// What it is told, and what it owes:
//
// - apply() gets every committed entry once and in log order, from the one after applied_state().applied.
// What
//   an application proposed arrives as EntryKind::command with the same payload; all other kinds are Raft's
//   own: give them a nil reply. The answer has one reply per entry.
// - The same entries must give the same state and replies on every node: no clock (Entry::stamp_ms is the
//   agreed time), no randomness, no order of addresses or of unordered containers.
// - Memory or disk, both are right. applied_state() must say what the state really holds, right after opening
//   too: 0/0 means "nothing", and the log is applied again from its first entry. A machine that writes files
//   must bring the state and applied_state() to the disk together, and tell the membership as of it.
// - flush() answers up to where the state would survive a crash. What it has not answered stays in the log.
// - A payload that cannot be decoded was let in by the application itself. Answer it with an error reply: a
//   StorageError from apply() stops the replica, and each of the cluster that applies the entry.
//
// All calls come one after the other on the state machine actor's own thread, so they may block on a disk.

#include "messages/codec.hpp"
#include "statemachine/state_machine.hpp"
