#pragma once

// The lowered form: one action a line, everything concrete. A script of a head and such lines is a replay
// file.
//
//   ! 2.000000s  cut n1 -> n2,n3,n5
//   ! 4.000000s  power-fail n1 torn keep="sectors:0,1 of write 3181"
//   ! 5.000000s  do on n1 SET x "a b" -> OK
//   ! 6.000000s  rate L1 200/s                    # line 12
//
// The comment, when there is one, is the line of the script that the action came from.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "lab/script/action.hpp"
#include "lab/script/error.hpp"

namespace kiwi::lab::script {

/// Without a line feed. Requires wrong_action(action).empty(), and line = 0 or more.
std::string lower(const Action& action);
/// What lower() wrote gives an equal action, the line included.
tl::expected<Action, Error> read_lowered(std::string_view line);

}  // namespace kiwi::lab::script
