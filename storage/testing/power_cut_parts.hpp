#pragma once

// What a power cut may take, with the names that descriptions use. Between power_cut.cpp and
// power_cut_choice.cpp.

#include <string>
#include <vector>

#include "storage/testing/sim_disk.hpp"

namespace kiwi::sim {

/// A file with un-synced writes. Two files of one path (the old one removed, the new one not synced): the
/// second is called "PATH~2".
struct DirtyFile {
  std::string path;
  InodePtr file;
};
/// Ascending by path.
std::vector<DirtyFile> dirty_files(const SimDisk& disk);

/// One text for each un-synced change of a name, oldest first; repeated ones end with "#2" and so on.
std::vector<std::string> change_texts(const SimDisk& disk);

}  // namespace kiwi::sim
