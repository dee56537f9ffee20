#pragma once

#include <string_view>

#include "messages/ids.hpp"
#include "messages/membership.hpp"

namespace kiwi {

/// Names a cluster for ever: a hash of its initial members (ids and addresses) and the operator's token, so
/// that two clusters never mix even on the same addresses. Never 0. `origin`: what a cluster that did not
/// begin empty came from; so nodes made of different backups never mix either.
ClusterId cluster_id_of(const Membership& initial, std::string_view token, std::string_view origin = {});

}  // namespace kiwi
