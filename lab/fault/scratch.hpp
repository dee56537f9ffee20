#pragma once

// A folder for what runs on processes leave on the disk while they run.

#include <filesystem>

#include "lab/fault/stop_signals.hpp"

namespace kiwi::lab {

/// A fresh folder below TMPDIR. It goes with this object, and before a signal ends this program; after
/// kill -9 it stays.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// Empty: it could not be made.
  const std::filesystem::path& path() const { return path_; }

 private:
  void remove() const;
  std::filesystem::path path_;
  AtStop at_stop_;
};

}  // namespace kiwi::lab
