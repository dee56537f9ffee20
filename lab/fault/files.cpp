#include "lab/fault/files.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "lab/script/values.hpp"

namespace kiwi::lab {

namespace fs = std::filesystem;

tl::expected<std::string, std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || fs::is_directory(path) || !(text << in.rdbuf())) {
    // An empty file sets failbit of `text`.
    if (in && fs::is_regular_file(path) && fs::file_size(path) == 0) {
      return std::string();
    }
    return tl::unexpected(path.string() + ": cannot be read");
  }
  return text.str();
}

tl::expected<void, std::string> write_file(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) {
    return tl::unexpected(path.string() + ": cannot be written");
  }
  return {};
}

tl::expected<std::vector<fs::path>, std::string> find_scenarios(const std::vector<std::string>& names) {
  std::vector<fs::path> found;
  for (const std::string& name : names) {
    std::error_code error;
    if (!fs::is_directory(name, error)) {
      found.emplace_back(name);
      continue;
    }
    std::vector<fs::path> below;
    for (const auto& entry : fs::recursive_directory_iterator(name, error)) {
      if (entry.path().extension() == ".scenario") {
        below.push_back(entry.path());
      }
    }
    std::sort(below.begin(), below.end());
    if (below.empty()) {
      return tl::unexpected(name + ": no *.scenario below this folder");
    }
    found.insert(found.end(), below.begin(), below.end());
  }
  return found;
}

script::ParseOptions parse_options(const fs::path& file) {
  script::ParseOptions options;
  options.load = [folder = file.parent_path()](const std::string& path) { return read_file(folder / path); };
  return options;
}

tl::expected<SeedRange, std::string> parse_seeds(const std::string& text) {
  const auto dots = text.find("..");
  const auto first = script::read_number(text.substr(0, dots));
  const auto last = dots == std::string::npos ? first : script::read_number(text.substr(dots + 2));
  if (!first || !last || *last < *first) {
    return tl::unexpected("'" + text + "' is neither a seed such as 7 nor a range such as 1..50");
  }
  return SeedRange{*first, *last};
}

tl::expected<std::vector<script::Scenario>, std::string> cases_of_text(const std::string& name,
                                                                       const std::string& text,
                                                                       const std::optional<SeedRange>& seeds,
                                                                       const script::ParseOptions& options) {
  std::vector<script::Scenario> cases;
  const SeedRange range = seeds.value_or(SeedRange{0, 0});
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) {
    script::ParseOptions with_seed = options;
    if (seeds) {
      with_seed.params["seed"] = std::to_string(seed);
    }
    auto expanded = script::expand({name, text}, with_seed);
    if (!expanded) {
      return tl::unexpected(script::to_string(expanded.error()));
    }
    std::move(expanded->begin(), expanded->end(), std::back_inserter(cases));
  }
  return cases;
}

tl::expected<std::vector<script::Scenario>, std::string> cases_of(
    const fs::path& file, const std::optional<SeedRange>& seeds,
    const std::map<std::string, std::string>& params) {
  const auto text = read_file(file);
  if (!text) {
    return tl::unexpected(text.error() + "\n");
  }
  script::ParseOptions options = parse_options(file);
  options.params = params;
  return cases_of_text(file.string(), *text, seeds, options);
}

}  // namespace kiwi::lab
