#pragma once

// Shared by help for the terminal and the reference page. Inside lab/script only.

#include <string>

#include "lab/script/predicates.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab::script {

/// "cut NODES -> NODES", "fired(FAULT, ...)".
std::string usage(const VerbRow& row);
std::string usage(const PredicateRow& row);
/// "simulator, processes".
std::string backends(const VerbRow& row);
/// "expect, when, finally".
std::string places(const PredicateRow& row);
std::string upper(std::string_view text);
/// One word for the type of a value: "duration".
std::string type_word(const ValueSpec& spec);

}  // namespace kiwi::lab::script
