#pragma once

#include <cstdint>
#include <string>
#include <tuple>

namespace kiwi {

/// How far the background scrub of one database is (storage/table_scrub.hpp). Counts since it was opened.
struct ScrubFigures {
  static constexpr const char* name = "ScrubFigures";
  std::uint64_t rounds = 0;      // over all tables
  std::uint64_t bytes = 0;       // read
  std::uint64_t tables = 0;      // found whole
  std::uint64_t unverified = 0;  // left out, for they have no checksum
  std::uint64_t errors = 0;
  std::string position;  // "000012.sst:65536"; empty: between two rounds
  auto fields() { return std::tie(rounds, bytes, tables, unverified, errors, position); }
};

}  // namespace kiwi
