#pragma once

// Private to redis_machine*.cpp.

#include <optional>
#include <type_traits>

#include "messages/storage_error.hpp"
#include "statemachine/engine/database.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {

/// Called once, when the first failure of the storage has happened. Damage to the data database is written
/// down in its folder, so that the next start does not trust it.
void note_data_failed(Database& database, const StorageError& error);

/// Runs `work`; a failure of the storage becomes the error that the machine keeps from then on. Any other
/// exception leaves the machine failed, too.
template <class Work>
auto guarded(Database& database, std::optional<StorageError>& failed, Work&& work)
    -> Result<decltype(work())> {
  if (failed)
    return tl::unexpected(*failed);
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const StorageFailure& failure) {
    failed = failure.error;
    note_data_failed(database, failure.error);
    return tl::unexpected(failure.error);
  } catch (...) {
    // A bug, or no memory: what is in memory may be half an entry, and must not be written by anybody.
    failed = state_machine_error(StorageVerb::write, StorageKind::io, "half a call");
    throw;
  }
}

}  // namespace kiwi
