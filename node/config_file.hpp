#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace kiwi {

/// One "key = value" (or "key value") of a config file. Keys are the flags without their dashes.
struct ConfigLine {
  int number = 0;  // counted from 1
  std::string key;
  std::string value;
};

/// Empty lines and lines that begin with '#' are left out. An error names the file, and the line if there is
/// one.
tl::expected<std::vector<ConfigLine>, std::string> read_config_file(const std::string& path);

}  // namespace kiwi
