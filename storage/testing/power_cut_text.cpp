// The text of a power cut: what scripts and reports show, and replay reads.

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "storage/testing/power_cut.hpp"

namespace kiwi::sim {
namespace {

constexpr std::array<const char*, 3> kProfiles = {"ordered", "hostile", "exact"};
constexpr std::array<std::string_view, 5> kNameVerbs = {"create ", "remove ", "rename ", "mkdir ", "rmdir "};

template <class Number>
std::string ranges(const std::vector<Number>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    auto j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) {
      ++j;
    }
    text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
    if (j > i) {
      text += "-" + std::to_string(numbers[j]);
    }
    i = j + 1;
  }
  return text;
}

void add(std::string& text, const std::string& item) { text += (text.empty() ? "" : "; ") + item; }

void add(std::string& text, const FileCut& file) {
  if (file.bytes) {
    add(text, file.path + " keep=bytes:" + std::to_string(*file.bytes));
  }
  std::vector<std::uint64_t> whole;
  const auto flush = [&] {
    if (!whole.empty()) {
      add(text, file.path + " keep=writes:" + ranges(whole));
      whole.clear();
    }
  };
  for (const auto& kept : file.writes) {
    if (kept.sectors.empty()) {
      whole.push_back(kept.write);
      continue;
    }
    flush();
    add(text,
        file.path + " keep=sectors:" + ranges(kept.sectors) + " of write " + std::to_string(kept.write));
  }
  flush();
  if (file.size) {
    add(text, file.path + " size=" + std::to_string(*file.size));
  }
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(number)
                                                                                   : std::nullopt;
}

constexpr std::uint64_t kMostInARange = 1u << 20;

std::optional<std::vector<std::uint64_t>> numbers_of(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (true) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto dash = part.find('-');
    const auto first = number_of(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of(part.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first > kMostInARange) {
      return std::nullopt;
    }
    for (auto n = *first; n <= *last; ++n) {
      numbers.push_back(n);
    }
    if (comma == std::string_view::npos) {
      return numbers;
    }
    text.remove_prefix(comma + 1);
  }
}

FileCut& file_in(PowerCut& cut, std::string_view path) {
  const auto at = std::find_if(cut.files.begin(), cut.files.end(),
                               [path](const FileCut& file) { return file.path >= path; });
  if (at != cut.files.end() && at->path == path) {
    return *at;
  }
  FileCut file;
  file.path = path;
  return *cut.files.insert(at, std::move(file));
}

/// "keep=..." or "size=..." of one file. False: not understood.
bool read_kept(std::string_view what, FileCut& file) {
  const auto after = [&what](std::string_view prefix) {
    const bool has = what.starts_with(prefix);
    if (has) {
      what.remove_prefix(prefix.size());
    }
    return has;
  };
  if (after("size=")) {
    file.size = number_of(what);
    return file.size.has_value();
  }
  if (after("keep=bytes:")) {
    file.bytes = number_of(what);
    return file.bytes.has_value();
  }
  if (after("keep=writes:")) {
    const auto numbers = numbers_of(what);
    for (const auto number : numbers.value_or(std::vector<std::uint64_t>{})) {
      file.writes.push_back({number, {}});
    }
    return numbers.has_value();
  }
  if (after("keep=sectors:")) {
    const auto of = what.find(" of write ");
    if (of == std::string_view::npos) {
      return false;
    }
    const auto sectors = numbers_of(what.substr(0, of));
    const auto write = number_of(what.substr(of + 10));
    if (!sectors || !write) {
      return false;
    }
    file.writes.push_back({*write, {sectors->begin(), sectors->end()}});
    return true;
  }
  return false;
}

bool read_item(std::string_view item, PowerCut& cut) {
  if (item == "nothing" || item.empty()) {
    return true;
  }
  if (item == "everything") {
    cut.everything = true;
    return true;
  }
  if (std::any_of(kNameVerbs.begin(), kNameVerbs.end(),
                  [item](auto verb) { return item.starts_with(verb); })) {
    cut.names.emplace_back(item);
    return true;
  }
  const auto space = item.find(' ');
  return space != std::string_view::npos && space > 0 &&
         read_kept(trimmed(item.substr(space)), file_in(cut, item.substr(0, space)));
}

}  // namespace

const char* to_string(CrashProfile profile) { return kProfiles[static_cast<std::size_t>(profile)]; }

std::optional<CrashProfile> parse_crash_profile(std::string_view word) {
  for (std::size_t i = 0; i < kProfiles.size(); ++i) {
    if (word == kProfiles[i]) {
      return static_cast<CrashProfile>(i);
    }
  }
  return std::nullopt;
}

std::string to_string(const PowerCut& cut) {
  if (cut.everything) {
    return "everything";
  }
  if (cut.keeps_nothing()) {
    return "nothing";
  }
  std::string text;
  for (const auto& file : cut.files) {
    add(text, file);
  }
  for (const auto& name : cut.names) {
    add(text, name);
  }
  return text;
}

tl::expected<PowerCut, std::string> parse_power_cut(std::string_view text) {
  PowerCut cut;
  while (true) {
    const auto semicolon = text.find(';');
    const auto item = trimmed(text.substr(0, semicolon));
    if (!read_item(item, cut)) {
      return tl::unexpected("\"" + std::string(item) + "\" does not say what a power cut keeps");
    }
    if (semicolon == std::string_view::npos) {
      return cut;
    }
    text.remove_prefix(semicolon + 1);
  }
}

}  // namespace kiwi::sim
