#include "statemachine/state_machine.hpp"

namespace kiwi {
namespace {

tl::unexpected<StorageError> no_snapshots(StorageVerb verb) {
  return tl::unexpected(StorageError{StorageSubject::snapshot, verb, StorageKind::unsupported,
                                     "this state machine offers no snapshots", StorageOutcome::not_written});
}

}  // namespace

Result<std::unique_ptr<SnapshotBuilder>> StateMachine::get_snapshot_builder() {
  return no_snapshots(StorageVerb::open);
}

Result<std::string> StateMachine::begin_receiving_snapshot(const SnapshotMeta&) {
  return no_snapshots(StorageVerb::write);
}

Result<void> StateMachine::install_snapshot(const SnapshotMeta&, const std::string&) {
  return no_snapshots(StorageVerb::write);
}

Result<void> StateMachine::finish_install() { return no_snapshots(StorageVerb::write); }

Result<std::optional<SnapshotMeta>> StateMachine::get_current_snapshot() {
  return no_snapshots(StorageVerb::read);
}

}  // namespace kiwi
