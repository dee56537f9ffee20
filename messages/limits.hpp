#pragma once

#include <cstdint>

namespace kiwi {

// Constants of the format: the same at the Redis port, in the log and on the wire (safety rules 7 and 10).
// A request that breaks one of them is refused at the door, so it can never sit in a log that cannot
// replicate it. Changing one is a change of the format version.

/// Largest single argument, so also the largest key or value: 32 MiB.
inline constexpr std::uint64_t kMaxBulkBytes = 32ull << 20;
/// Largest encoded request (all arguments with their lengths): one log entry. 48 MiB.
inline constexpr std::uint64_t kMaxRequestBytes = 48ull << 20;
/// Largest number of arguments of one command.
inline constexpr std::uint64_t kMaxArguments = 1ull << 18;
/// Largest peer frame payload: one entry of the largest size and its header.
inline constexpr std::uint64_t kMaxFrameBytes = kMaxRequestBytes + (64ull << 10);
/// Largest part of a snapshot's file that travels in one message, decoded. 256 KiB.
inline constexpr std::uint64_t kMaxSnapshotPartBytes = 256ull << 10;
/// Most files of one snapshot.
inline constexpr std::size_t kMaxSnapshotFiles = 1u << 16;
/// Members of one cluster: voters, learners, and those about to leave.
inline constexpr std::size_t kMaxMembers = 64;
/// Members that ever left a cluster: their ids stay in every membership (rule 11), 8 bytes each. Beyond it no
/// member can be removed any more.
inline constexpr std::size_t kMaxRemovedMembers = 4096;
/// Longest inline command, as in Redis.
inline constexpr std::uint64_t kMaxInlineBytes = 64ull << 10;
/// Largest string value after APPEND, SETRANGE and the like: the same as one bulk.
inline constexpr std::uint64_t kMaxStringBytes = kMaxBulkBytes;
/// Largest reply of one command that collects many values (MGET, KEYS): 64 MiB, counting 16 bytes for each
/// value.
inline constexpr std::uint64_t kMaxReplyBytes = 64ull << 20;

}  // namespace kiwi
