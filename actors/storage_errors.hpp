#pragma once

// StorageError as a caf::error, so that it can answer a request: the category is "storage", the code is the
// StorageKind, the context is the whole StorageError.

#include <caf/all.hpp>

#include "actors/inspect.hpp"
#include "messages/storage_error.hpp"

namespace kiwi {

caf::error to_caf_error(const StorageError& error);

/// The StorageError inside `error`. Anything else (the actor died, a request was not understood) becomes
/// StorageKind::unavailable about `subject` and `verb`; whether a write happened is then unknown (rule 9).
StorageError storage_error_of(const caf::error& error, StorageSubject subject, StorageVerb verb);

/// Lets actor_system::render print storage errors. Call before the actor_system is made.
void register_storage_errors(caf::actor_system_config& config);

}  // namespace kiwi

CAF_ERROR_CODE_ENUM(kiwi::StorageKind, "storage")
