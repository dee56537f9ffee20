#pragma once

// A log store, and how two actors come to it: its owner (log_store_actor.hpp), and on the thread of the core
// the one in front (prompt_log_actor.hpp), which writes while the owner has nothing to do.

#include <memory>
#include <mutex>
#include <utility>

#include "storage/data_directory.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

struct OpenLog {
  explicit OpenLog(std::unique_ptr<storage::LogStore> log,
                   std::shared_ptr<storage::DataDirectory> dir = nullptr)
      : directory(std::move(dir)), store(std::move(log)) {}

  /// Destroyed after the store: nobody else may open the directory while this store is open.
  const std::shared_ptr<storage::DataDirectory> directory;
  const std::unique_ptr<storage::LogStore> store;
  /// Held by whoever uses the store; the owner waits for it, the one in front does not.
  std::mutex in_use;
};

}  // namespace kiwi
