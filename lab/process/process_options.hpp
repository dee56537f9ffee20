#pragma once

// What a cluster of real processes is made of.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/process/means.hpp"
#include "lab/script/settings.hpp"

namespace kiwi::lab {

struct ProcessOptions {
  Means means;
  script::ClusterSettings settings;
  /// Un-synced bytes stay in the nodes, so that a power failure can take them.
  bool disk_buffers = false;
  /// What is in a frame between nodes, for `when msg append n1->n3 (index = 41)`. Empty: only its kind is
  /// told.
  std::function<std::map<std::string, std::string>(std::string_view frame)> message_fields;
  /// The script waits for messages, and acts before they are delivered.
  bool waits_for_messages = false;
  /// Bugs that the nodes switch on (messages/fault_tables.hpp).
  std::vector<std::string> mutants;
  /// Where directories of runs are made, and removed after the run.
  std::filesystem::path scratch = std::filesystem::temp_directory_path();
};

}  // namespace kiwi::lab
