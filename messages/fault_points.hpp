#pragma once

// Points of the production code that the fault laboratory knows by name.
//
//   KIWI_MARK("vote.synced");          something worth reaching has just happened; a campaign that never gets
//                                      there tested less than it says
//   if (KIWI_MUTANT(vote_before_sync)) a bug put back on purpose, when the laboratory has switched it on: it
//                                      must find it
//
// Without KIWI_FAULT_BUILD, so in everything that is released, both are nothing: no code, no names. In .cpp
// files only: those are compiled once for release and once for the laboratory (kiwi_library in
// cmake/KiwiTargets.cmake), and an inline function that differs between the two would be taken from either.
// All names are in messages/fault_tables.hpp; an unknown one does not compile.

#ifdef KIWI_FAULT_BUILD

#include "messages/fault_tables.hpp"

#define KIWI_MARK(name) ::kiwi::fault::pass(::kiwi::fault::mark_number(name))
#define KIWI_MUTANT(name) (::kiwi::fault::switched_on(::kiwi::fault::Mutant::name))

#else

#define KIWI_MARK(name) static_cast<void>(0)
#define KIWI_MUTANT(name) (false)

#endif
