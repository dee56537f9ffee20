#include "actors/snapshot_builder_actor.hpp"

#include <utility>

#include "actors/storage_errors.hpp"

namespace kiwi {

namespace {

struct SnapshotBuilderState {
  using Self = SnapshotBuilderActor::stateful_pointer<SnapshotBuilderState>;
  static constexpr const char* name = "snapshot-builder";

  caf::result<SnapshotMeta> build() {
    if (!*builder)
      return to_caf_error(builder->error());
    auto meta = (**builder)->build_snapshot();
    if (!meta)
      return to_caf_error(meta.error());
    return std::move(*meta);
  }

  std::shared_ptr<Result<std::unique_ptr<SnapshotBuilder>>> builder;
};

SnapshotBuilderActor::behavior_type snapshot_builder(
    SnapshotBuilderState::Self self, std::shared_ptr<Result<std::unique_ptr<SnapshotBuilder>>> builder) {
  auto* state = &self->state;
  state->builder = std::move(builder);
  return {[state](const BuildSnapshot&) { return state->build(); }};
}

}  // namespace

SnapshotBuilderActor spawn_snapshot_builder(caf::actor_system& system, SpawnMode mode,
                                            Result<std::unique_ptr<SnapshotBuilder>> builder) {
  // Without a builder there is nothing to block on, so no thread either.
  bool idle = !builder.has_value();
  auto box = std::make_shared<Result<std::unique_ptr<SnapshotBuilder>>>(std::move(builder));
  if (mode == SpawnMode::own_thread && !idle)
    return system.spawn<caf::detached>(snapshot_builder, std::move(box));
  return system.spawn(snapshot_builder, std::move(box));
}

}  // namespace kiwi
