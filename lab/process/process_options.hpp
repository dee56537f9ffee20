#pragma once

// What a cluster of real processes is made of.

#include <cstdint>
#include <filesystem>

#include "lab/process/means.hpp"
#include "lab/script/settings.hpp"

namespace kiwi::lab {

struct ProcessOptions {
  Means means;
  script::ClusterSettings settings;
  /// Un-synced bytes stay in the nodes, so that a power failure can take them.
  bool disk_buffers = false;
  /// Where directories of runs are made, and removed after the run.
  std::filesystem::path scratch = std::filesystem::temp_directory_path();
};

}  // namespace kiwi::lab
