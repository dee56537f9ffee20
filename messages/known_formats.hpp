#pragma once

// What a program can read from a log, as one number that grows: members announce theirs in heartbeat replies,
// and nothing is proposed that a member does not know (rolling upgrades, docs/formats.md). A program that
// adds a kind of entry, or another coding of one, takes the next number and says so in format_of.

#include <cstdint>

#include "messages/entry.hpp"

namespace kiwi {

/// Kinds up to `digest`; memberships as version 1 codes them (messages/codec.hpp).
inline constexpr std::uint32_t kFirstFormats = 1;
/// Memberships that change: version 2.
inline constexpr std::uint32_t kMembershipFormats = 2;
/// The newest that this program knows.
inline constexpr std::uint32_t kKnownFormats = kMembershipFormats;

/// The least that a node must know to read an entry of this kind that is proposed now.
constexpr std::uint32_t format_of(EntryKind kind) {
  return kind == EntryKind::membership ? kMembershipFormats : kFirstFormats;
}

}  // namespace kiwi
