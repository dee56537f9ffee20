#pragma once

#include "storage/testing/faults.hpp"

namespace kiwi::sim {

/// A chooser as the laboratory has them: a hash of what it is asked.
inline Chooser keyed(std::uint64_t seed) {
  return [seed](std::string_view entity, std::string_view decision, std::uint64_t counter) {
    std::uint64_t h = 14695981039346656037ull ^ (seed * 0x9e3779b97f4a7c15ull);
    const auto take = [&h](std::string_view text) {
      for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
      }
    };
    take(entity);
    take("/");
    take(decision);
    h = (h ^ counter) * 0xbf58476d1ce4e5b9ull;
    h = (h ^ (h >> 31)) * 0x94d049bb133111ebull;
    return h ^ (h >> 29);
  };
}

}  // namespace kiwi::sim
