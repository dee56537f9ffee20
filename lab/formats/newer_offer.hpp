#pragma once

// An offer of a snapshot as a program of a later time would send it.

#include <optional>
#include <string>
#include <string_view>

namespace kiwi::lab {

/// `frame`: a whole frame (messages/codec.hpp). Nothing when it is no InstallSnapshotRequest; else the same
/// with the data format after the one it names, under the same id: what the receiver says about it must be
/// about what the sender offered.
std::optional<std::string> newer_offer(std::string_view frame);

}  // namespace kiwi::lab
