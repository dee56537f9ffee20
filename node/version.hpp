#pragma once

#include <string>

namespace kiwi {

/// "kiwi-node 0.1.0 (...)" with a line break.
std::string version_text();

}  // namespace kiwi
