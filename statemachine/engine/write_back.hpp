#pragma once

// One generation on its way to the database, together with the applied state it belongs to (rule 6: one
// WriteBatch). Whoever comes first does the work: a thread that has nothing better to do, or the machine's
// own when it cannot go on without.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "messages/ids.hpp"
#include "messages/storage_error.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/engine/generation.hpp"

namespace kiwi {

class WriteBack {
 public:
  struct Content {
    std::shared_ptr<const Generation> changes;
    std::shared_ptr<const Generation> old;  // destroyed by the way; may be null
    std::string state_row;                  // empty: not written
    std::optional<std::string> membership_row;
    Index applied;
  };
  /// The database must not be closed or destroyed before finish() or cancel().
  WriteBack(Database& database, Content content) : database_(database), content_(std::move(content)) {}

  /// Does the work unless somebody did or does it. Any thread.
  void run();
  /// Returns once it is done; does it when nobody has begun. Throws StorageFailure when it failed.
  void finish();
  /// Returns once nobody works on it, or will.
  void cancel();
  /// Throws StorageFailure when it failed.
  bool finished();

 private:
  enum class Phase { waiting, running, over };
  void write();

  Database& database_;
  Content content_;
  std::mutex mutex_;
  std::condition_variable over_;
  Phase phase_ = Phase::waiting;
  std::optional<StorageError> error_;
};

}  // namespace kiwi
