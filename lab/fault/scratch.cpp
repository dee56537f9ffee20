#include "lab/fault/scratch.hpp"

#include <stdlib.h>

#include <string>
#include <system_error>

namespace kiwi::lab {

Scratch::Scratch() : at_stop_([this] { remove(); }) {
  std::error_code error;
  auto pattern = (std::filesystem::temp_directory_path(error) / "kiwi-fault-XXXXXX").string();
  if (!error && ::mkdtemp(pattern.data()) != nullptr) {
    path_ = pattern;
  }
}

Scratch::~Scratch() { remove(); }

void Scratch::remove() const {
  std::error_code ignored;
  if (!path_.empty()) {
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace kiwi::lab
