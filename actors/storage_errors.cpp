#include "actors/storage_errors.hpp"

namespace kiwi {

namespace {
constexpr auto kCategory = caf::atom("storage");
}

caf::error to_caf_error(const StorageError& error) { return caf::make_error(error.kind, error); }

StorageError storage_error_of(const caf::error& error, StorageSubject subject, StorageVerb verb) {
  // An empty error, the reason of an actor that ended normally, has neither category nor context.
  if (error && error.category() == kCategory && error.context().match_elements<StorageError>())
    return error.context().get_as<StorageError>(0);
  return {subject, verb, StorageKind::unavailable, caf::to_string(error), StorageOutcome::unknown};
}

void register_storage_errors(caf::actor_system_config& config) {
  config.add_error_category(kCategory, [](std::uint8_t code, caf::atom_value, const caf::message& context) {
    if (context.match_elements<StorageError>())
      return "storage: " + to_string(context.get_as<StorageError>(0));
    return std::string("storage: ") + to_string(static_cast<StorageKind>(code));
  });
}

}  // namespace kiwi
