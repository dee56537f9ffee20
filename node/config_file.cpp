#include "node/config_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace kiwi {

namespace {
std::string trimmed(const std::string& s) {
  const char* blank = " \t\r";
  auto begin = s.find_first_not_of(blank);
  if (begin == std::string::npos)
    return {};
  return s.substr(begin, s.find_last_not_of(blank) - begin + 1);
}
}  // namespace

tl::expected<std::vector<ConfigLine>, std::string> read_config_file(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    return tl::unexpected("config file " + path + ": " + std::strerror(errno));
  std::vector<ConfigLine> lines;
  std::string raw;
  for (int number = 1; std::getline(in, raw); ++number) {
    auto line = trimmed(raw);
    if (line.empty() || line.front() == '#')
      continue;
    auto split = line.find_first_of("= \t");
    auto where = path + ":" + std::to_string(number) + ": ";
    if (split == std::string::npos)
      return tl::unexpected(where + "'" + line + "' has no value");
    auto key = line.substr(0, split);
    auto value = trimmed(line.substr(split));
    if (!value.empty() && value.front() == '=')
      value = trimmed(value.substr(1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    if (key.starts_with("--"))
      key = key.substr(2);
    if (key.empty())
      return tl::unexpected(where + "no flag before '='");
    lines.push_back({number, key, value});
  }
  if (in.bad())
    return tl::unexpected("config file " + path + ": cannot be read");
  return lines;
}

}  // namespace kiwi
