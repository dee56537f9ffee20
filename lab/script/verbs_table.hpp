#pragma once

// The rows, a file per family. Only verbs.cpp includes this.

#include <span>

#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {

std::span<const VerbRow> link_verbs();
std::span<const VerbRow> node_verbs();
std::span<const VerbRow> disk_verbs();
std::span<const VerbRow> load_verbs();

}  // namespace kiwi::lab::script
