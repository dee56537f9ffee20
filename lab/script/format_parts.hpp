#pragma once

// Pieces of lines that scripts and lowered lines have in common. Inside lab/script only.

#include <map>
#include <string>
#include <vector>

namespace kiwi::lab::script {

/// " word word key=value ...": everything behind the target, each with a blank in front.
std::string arguments_text(const std::vector<std::string>& words,
                           const std::map<std::string, std::string>& options);
/// " as c1 SET x 1 -> OK": what follows `do` and its node.
std::string redis_text(const std::vector<std::string>& words,
                       const std::map<std::string, std::string>& options);

}  // namespace kiwi::lab::script
