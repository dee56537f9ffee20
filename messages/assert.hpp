#pragma once

// KIWI_ASSERT(condition, "what is broken"): an invariant of the program, checked in every build type.
// A broken invariant is a bug, not an operating error: it prints one line and stops the process with the
// exit code of a bug (kExitBug) before anything wrong can become durable.

namespace kiwi {

// Exit codes of kiwi-node, documented in README.md. Everything else is an orderly stop (0).
inline constexpr int kExitUsage = 2;
inline constexpr int kExitBadDataDirectory = 3;
inline constexpr int kExitStorageFailure = 4;
inline constexpr int kExitCannotListen = 5;
inline constexpr int kExitBug = 70;

[[noreturn]] void assertion_failed(const char* condition, const char* what, const char* file, int line);

/// Called first with the text of a failed assertion; it may throw, and then the process goes on. For the
/// laboratory, which simulates many processes in one. Null: none. One thread.
using AssertionHook = void (*)(const char* text);
void set_assertion_hook(AssertionHook hook);

}  // namespace kiwi

#define KIWI_ASSERT(condition, what) \
  ((condition) ? static_cast<void>(0) : ::kiwi::assertion_failed(#condition, what, __FILE__, __LINE__))
