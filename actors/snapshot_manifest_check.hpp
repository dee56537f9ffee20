#pragma once

// Whether a manifest that came from another node may be worked with: its names become names of files here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/snapshot_meta.hpp"

namespace kiwi {

/// The first bytes of a file that is being received are called its name and this; more are appended.
inline constexpr std::string_view kPartSuffix = ".part";
/// A file that is whole, not yet looked at, and perhaps shared with another folder or the database.
inline constexpr std::string_view kHaveSuffix = ".have";
/// Most bytes of a snapshot: 1 PiB.
inline constexpr std::uint64_t kMaxSnapshotBytes = 1ull << 50;

/// Letters, digits and '-', not empty, at most 128 of them.
bool is_snapshot_id(std::string_view id);

/// What is wrong with it; nothing: it is good. Names of files are letters, digits, '.', '-' and '_', do not
/// begin with '.', are at most 128 long, none twice, and none of those that the receiver uses itself.
std::optional<std::string> manifest_fault(const SnapshotManifest& manifest);

}  // namespace kiwi
