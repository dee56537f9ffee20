#pragma once

// Exit codes of kiwi-node's subcommands, besides those of messages/assert.hpp. Told by --help and
// docs/recovery.md; scripts may rely on them.

namespace kiwi {

/// A checksum does not match: in the node's directory (inspect, recover, backup of a stopped node), in the
/// snapshot that a node built (backup), in the backup (restore).
inline constexpr int kExitDamaged = 6;
/// inspect: all is whole but the newest write of a file, which is torn or damaged; the next start cuts it.
inline constexpr int kExitTornWrite = 7;
/// Another process has the directory.
inline constexpr int kExitInUse = 8;
/// backup: the node cannot be reached, or says no.
inline constexpr int kExitNoAnswer = 9;
/// recover: nothing was done, because the operator did not confirm.
inline constexpr int kExitNotConfirmed = 10;

}  // namespace kiwi
