#pragma once

// Scenario files: found, read, and turned into the cases to run.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/script/ast.hpp"
#include "lab/script/parse.hpp"

namespace kiwi::lab {

tl::expected<std::string, std::string> read_file(const std::filesystem::path& path);
/// The error names the file.
tl::expected<void, std::string> write_file(const std::filesystem::path& path, const std::string& text);

/// Files as they are; of folders, every *.scenario below them, in alphabetical order. The error: nothing
/// there.
tl::expected<std::vector<std::filesystem::path>, std::string> find_scenarios(
    const std::vector<std::string>& names);

/// Includes are looked for below the folder of the file.
script::ParseOptions parse_options(const std::filesystem::path& file);

/// Seeds to run, both ends included.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};
/// "7" or "1..50".
tl::expected<SeedRange, std::string> parse_seeds(const std::string& text);

/// All cases of a file: its matrices, times the seeds. Without a range the seed of the file. The error is
/// ready to be shown.
tl::expected<std::vector<script::Scenario>, std::string> cases_of(
    const std::filesystem::path& file, const std::optional<SeedRange>& seeds,
    const std::map<std::string, std::string>& params);
/// The same for a text that is in no file.
tl::expected<std::vector<script::Scenario>, std::string> cases_of_text(const std::string& name,
                                                                       const std::string& text,
                                                                       const std::optional<SeedRange>& seeds,
                                                                       const script::ParseOptions& options);

}  // namespace kiwi::lab
