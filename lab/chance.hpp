#pragma once

// Keyed chance. There is no global random stream: every decision is a hash of (seed, entity, name of the
// decision, local counter). So the delay of the 17th append on the link n1->n3 stays the same when a script
// line about n2 is deleted, which is what makes shrinking work. Entities are named by role and node ("link
// n1->n3"), never by address, handle or order of creation. No state outside the counters; the same on every
// machine.

#include <cstdint>
#include <string_view>

namespace kiwi::lab {

/// The finalizer of splitmix64: every bit of the result depends on every bit of `x`; a bijection.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// FNV-1a, then mixed. For names; slow for long inputs.
constexpr std::uint64_t hash_name(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : name) {
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return mix(h);
}

/// One kind of decision of one entity: draws by number, or one after the other.
class ChanceStream {
 public:
  constexpr ChanceStream() = default;
  constexpr ChanceStream(std::uint64_t seed, std::string_view entity, std::string_view decision)
      : key_(mix(mix(seed) ^ hash_name(entity)) ^ hash_name(decision)) {}

  /// The draw with this number. Draws do not depend on one another.
  constexpr std::uint64_t at(std::uint64_t counter) const { return mix(key_ ^ mix(counter)); }
  /// The next one by the local counter.
  constexpr std::uint64_t next() { return at(counter_++); }
  constexpr std::uint64_t counter() const { return counter_; }

 private:
  std::uint64_t key_ = 0;
  std::uint64_t counter_ = 0;
};

/// A draw as a number in [0, n). n >= 1; for n far below 2^64 the bias is of no weight.
constexpr std::uint64_t below(std::uint64_t draw, std::uint64_t n) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(draw) * n) >> 64);
}

/// A draw as a number in [0, 1).
constexpr double unit(std::uint64_t draw) { return static_cast<double>(draw >> 11) * 0x1.0p-53; }

/// True with probability p; p <= 0 never, p >= 1 always.
constexpr bool happens(std::uint64_t draw, double p) { return unit(draw) < p; }

/// The seed, and streams made from it.
class Chance {
 public:
  constexpr explicit Chance(std::uint64_t seed) : seed_(seed) {}
  constexpr std::uint64_t seed() const { return seed_; }
  constexpr ChanceStream stream(std::string_view entity, std::string_view decision) const {
    return {seed_, entity, decision};
  }
  constexpr std::uint64_t draw(std::string_view entity, std::string_view decision,
                               std::uint64_t counter) const {
    return stream(entity, decision).at(counter);
  }

 private:
  std::uint64_t seed_;
};

}  // namespace kiwi::lab
