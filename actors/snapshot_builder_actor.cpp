#include "actors/snapshot_builder_actor.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "actors/snapshot_coding.hpp"
#include "actors/snapshot_manifest_check.hpp"
#include "actors/storage_errors.hpp"
#include "messages/assert.hpp"

namespace kiwi {

namespace {

constexpr std::uint32_t kAgeTickMs = 1'000;
/// A snapshot that could not be used is not fetched again for so long: it may have been this disk's fault.
constexpr std::uint64_t kUselessMs = 60'000;
/// Progress is told at most this often.
constexpr std::uint32_t kProgressMs = 250;
/// Answers in one slice: 1 MiB read and packed.
constexpr int kAnswersPerSlice = 4;

StorageError refusal(StorageVerb verb, StorageKind kind, std::string cause) {
  return {StorageSubject::snapshot, verb, kind, std::move(cause), StorageOutcome::not_written};
}

}  // namespace

void SnapshotBuilderState::start(std::unique_ptr<SnapshotBuilder> machine,
                                 const SnapshotBuilderOptions& given) {
  options = given;
  builder = std::move(machine);
  files = storage::snapshot_files(options.env);
  const auto built = options.dir + "/built";
  const auto own = options.dir + "/own";
  SnapshotSender::Options send;
  send.folder = built;
  send.rate = options.rate;
  send.keep_ms = options.keep_ms;
  send.log = options.log;
  sender = std::make_unique<SnapshotSender>(*files, std::move(send));
  SnapshotIncoming::Place place{files.get(), builder.get(), options.dir + "/incoming", own, options.log};
  receiver = std::make_unique<SnapshotReceiver>(std::move(place), options.receive);
  // Nobody knows any more what lies in built/, and who fetched from it hears "gone".
  for (const auto& folder : {built, own})
    if (auto removed = files->remove_folder(folder); !removed)
      options.log->warn("event=snapshot_remove_failed folder={} error=\"{}\"", folder,
                        to_string(removed.error()));
  if (auto names = files->list(options.dir + "/incoming"); names && !names->folders.empty())
    leftovers = true;
  after();
}

std::uint64_t SnapshotBuilderState::now_ms() const {
  const auto now = self->clock().now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// --- Building

caf::result<SnapshotManifest> SnapshotBuilderState::build(const BuildSnapshot& call) {
  if (const auto* newest = sender->newest();
      newest != nullptr && newest->meta.last_log_id.index >= call.at_least) {
    auto manifest = *newest;
    sender->touch(manifest.meta.snapshot_id);
    return manifest;
  }
  if (ready)
    return to_caf_error(refusal(StorageVerb::write, StorageKind::unavailable,
                                "a received snapshot is being installed: nothing is built meanwhile"));
  const auto before = now_ms();
  const auto parent = options.dir + "/built";
  auto made = files->make_folder(parent);
  auto manifest =
      made ? builder->build_snapshot(parent) : Result<SnapshotManifest>(tl::unexpected(made.error()));
  if (!manifest) {
    ++counts.build_failures;
    options.log->warn("event=snapshot_build_failed at_least={} error=\"{}\"", call.at_least.value,
                      to_string(manifest.error()));
    return to_caf_error(manifest.error());
  }
  ++counts.builds;
  counts.last_build_ms = now_ms() - before;
  const auto& meta = manifest->meta;
  options.log->info("event=snapshot_built id={} term={} index={} files={} bytes={} ms={}", meta.snapshot_id,
                    meta.last_log_id.term.value, meta.last_log_id.index.value, manifest->files.size(),
                    manifest->bytes(), counts.last_build_ms);
  sender->add(*manifest);
  after();
  if (meta.last_log_id.index < call.at_least)
    return to_caf_error(refusal(
        StorageVerb::write, StorageKind::unavailable,
        "the state is at " + to_string(meta.last_log_id.index) + ", not yet at " + to_string(call.at_least)));
  return std::move(*manifest);
}

// --- Receiving

caf::result<SnapshotReceived> SnapshotBuilderState::receive(const ReceiveSnapshot& call) {
  if (auto fault = manifest_fault(call.manifest)) {
    options.log->warn("event=snapshot_refused node={} reason=\"{}\"", call.from.value, *fault);
    return to_caf_error(refusal(StorageVerb::open, StorageKind::invalid_request, *fault));
  }
  const auto& id = call.manifest.meta.snapshot_id;
  auto accepted = builder->accepts(call.manifest);
  if (accepted && id == useless && now_ms() < useless_until_ms)
    accepted = tl::unexpected(refusal(StorageVerb::open, StorageKind::corruption,
                                      "snapshot " + id + " was received before and cannot be used"));
  if (!accepted) {
    options.log->warn("event=snapshot_refused node={} reason=\"{}\"", call.from.value,
                      accepted.error().cause);
    return to_caf_error(accepted.error());
  }
  const bool same = receiver->active() && receiver->incoming().manifest() == call.manifest;
  if (ready) {
    if (same)
      return SnapshotReceived{call.manifest.meta, receiver->incoming().folder()};
    return to_caf_error(refusal(StorageVerb::open, StorageKind::unavailable,
                                "snapshot " + receiver->id() + " is being installed"));
  }
  if (receiver->active())
    answer_receive(refusal(StorageVerb::open, StorageKind::unavailable,
                           "snapshot " + receiver->id() + " is given up: another question came"));
  asker = self->make_response_promise<SnapshotReceived>();
  auto promise = asker;
  if (same) {
    receiver->redirect(call.from);
  } else {
    receiver->give_up();
    receiver->begin(call.from, call.manifest);
    leftovers = false;
    began_ms = now_ms();
    told = {};
    untold_ms = 0;
    options.log->info("event=snapshot_receiving id={} node={} index={} files={} bytes={}", id,
                      call.from.value, call.manifest.meta.last_log_id.index.value, call.manifest.files.size(),
                      call.manifest.bytes());
  }
  after();
  return promise;
}

void SnapshotBuilderState::conclude(Result<void> outcome) {
  const auto& incoming = receiver->incoming();
  bool usable = true;
  if (outcome) {
    outcome = builder->check_received(incoming.manifest().meta, incoming.folder());
    usable = outcome.has_value();
    if (!usable && outcome.error().kind != StorageKind::io) {
      useless = receiver->id();
      useless_until_ms = now_ms() + kUselessMs;
    }
  }
  if (!outcome) {
    options.log->warn("event=snapshot_receive_failed id={} node={} here={} bytes={} error=\"{}\"",
                      receiver->id(), receiver->from().value, incoming.have_bytes(),
                      incoming.manifest().bytes(), to_string(outcome.error()));
    answer_receive(outcome.error());
    receiver->give_up();
    leftovers = true;
    leftovers_ms = 0;
    if (outcome.error().kind == StorageKind::no_space)
      remove_incoming("no_space");
    else if (!usable)
      remove_incoming("useless");
    return;
  }
  ready = true;
  ++counts.received_snapshots;
  counts.reused_bytes += incoming.reused_bytes();
  options.log->info("event=snapshot_received id={} node={} bytes={} reused={} wrong_files={} ms={}",
                    receiver->id(), receiver->from().value, incoming.manifest().bytes(),
                    incoming.reused_bytes(), incoming.wrong_files(), now_ms() - began_ms);
  report_progress();
  std::exchange(asker, {}).deliver(SnapshotReceived{incoming.manifest().meta, incoming.folder()});
}

void SnapshotBuilderState::answer_receive(const StorageError& error) {
  if (asker.pending())
    std::exchange(asker, {}).deliver(to_caf_error(error));
}

void SnapshotBuilderState::receive_ended(const ReceiveEnded& m) {
  if (receiver->id() != m.snapshot_id || !receiver->active())
    return;
  answer_receive(refusal(StorageVerb::read, StorageKind::unavailable,
                         "snapshot " + m.snapshot_id + " is given up by who asked for it"));
  const auto folder = receiver->incoming().folder();
  receiver->give_up();
  const bool installed = std::exchange(ready, false) && [&] {
    auto names = files->list(folder);
    return names && names->folders.empty() && names->files.empty();
  }();
  options.log->info("event=snapshot_receive_ended id={} installed={}", m.snapshot_id, installed);
  leftovers = true;
  leftovers_ms = 0;
  if (installed)
    remove_incoming("installed");
  after();
}

void SnapshotBuilderState::remove_incoming(const char* reason) {
  const auto folder = options.dir + "/incoming";
  leftovers = false;
  options.log->info("event=snapshot_incoming_removed reason={}", reason);
  if (auto removed = files->remove_folder(folder); !removed)
    options.log->warn("event=snapshot_remove_failed folder={} error=\"{}\"", folder,
                      to_string(removed.error()));
}

SnapshotProgress SnapshotBuilderState::progress() const {
  if (!receiver->active())
    return {};
  return {receiver->id(), receiver->incoming().have_bytes(), receiver->incoming().manifest().bytes()};
}

void SnapshotBuilderState::report_progress() {
  untold_ms += kPaceTickMs;
  auto now = progress();
  if (!outlet || now.snapshot_id.empty() || (!ready && untold_ms < kProgressMs))
    return;
  if (now.received == told.received && now.snapshot_id == told.snapshot_id)
    return;
  untold_ms = 0;
  told = now;
  self->send(outlet, std::move(now));
}

// --- Both ways

void SnapshotBuilderState::traffic(const SnapshotTraffic& m) {
  for (const auto& message : m.messages) {
    if (const auto* fetch = std::get_if<SnapshotFetch>(&message))
      sender->fetch(m.peer, *fetch);
    else if (const auto* part = std::get_if<SnapshotPart>(&message))
      receiver->part(m.peer, *part);
  }
  after();
}

void SnapshotBuilderState::go_on() {
  going_on = false;
  for (int i = 0; i < kAnswersPerSlice; ++i) {
    auto answer = sender->serve();
    if (!answer)
      break;
    if (outlet)
      self->send(outlet, SnapshotTraffic{answer->peer, {std::move(answer->part)}});
  }
  receiver->work();
  after();
}

void SnapshotBuilderState::pace() {
  pacing = false;
  sender->tick();
  receiver->tick();
  report_progress();
  after();
}

void SnapshotBuilderState::age() {
  aging = false;
  sender->age(kAgeTickMs);
  if (leftovers && (leftovers_ms += kAgeTickMs) >= options.keep_incoming_ms)
    remove_incoming("old");
  after();
}

void SnapshotBuilderState::after() {
  if (auto outcome = receiver->take_outcome())
    conclude(std::move(*outcome));
  if (auto fetches = receiver->take_fetches(); outlet && !fetches.empty())
    self->send(outlet, SnapshotTraffic{receiver->from(), std::move(fetches)});
  const bool receiving = receiver->active() && !ready;
  const bool work = sender->can_serve() || (receiving && receiver->has_work());
  if (work && !std::exchange(going_on, true))
    self->send(self, GoOnAtom::value);
  if ((receiving || sender->needs_ticks()) && !std::exchange(pacing, true))
    self->delayed_send(self, std::chrono::milliseconds(kPaceTickMs), PaceAtom::value);
  if ((leftovers || sender->newest() != nullptr) && !std::exchange(aging, true))
    self->delayed_send(self, std::chrono::milliseconds(kAgeTickMs), AgeAtom::value);
}

SnapshotFigures SnapshotBuilderState::figures() const {
  auto f = counts;
  f.built = sender->built();
  f.sent_bytes = sender->sent_bytes();
  f.sent_parts = sender->sent_parts();
  f.received_bytes = receiver->fetched_bytes();
  f.receiving = progress();
  return f;
}

void SnapshotBuilderState::stop(const caf::error& reason) {
  answer_receive(refusal(StorageVerb::read, StorageKind::unavailable, "the node is stopping"));
  self->quit(reason);
}

namespace {

SnapshotBuilderImpl::behavior_type snapshot_builder(SnapshotBuilderState::Self self,
                                                    std::shared_ptr<std::unique_ptr<SnapshotBuilder>> builder,
                                                    const SnapshotBuilderOptions& options) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(std::move(*builder), options);
  return {
      [state](const ConnectOutlet& m) { state->outlet = m.outlet; },
      [state](const BuildSnapshot& m) { return state->build(m); },
      [state](const ReceiveSnapshot& m) { return state->receive(m); },
      [state](const SnapshotTraffic& m) { state->traffic(m); },
      [state](const ReceiveEnded& m) { state->receive_ended(m); },
      [state](const SnapshotFiguresRequest&) { return state->figures(); },
      [state](PaceAtom) { state->pace(); },
      [state](AgeAtom) { state->age(); },
      [state](GoOnAtom) { state->go_on(); },
  };
}

struct NoSnapshotsState {
  static constexpr const char* name = "snapshot-builder";
  StorageError why;
  SnapshotOutlet outlet;
};

/// For a machine without snapshots.
SnapshotBuilderActor::behavior_type no_snapshots(
    SnapshotBuilderActor::stateful_pointer<NoSnapshotsState> self, const StorageError& why) {
  auto* state = &self->state;
  state->why = why;
  return {
      [state](const ConnectOutlet& m) { state->outlet = m.outlet; },
      [state](const BuildSnapshot&) -> caf::result<SnapshotManifest> { return to_caf_error(state->why); },
      [state](const ReceiveSnapshot&) -> caf::result<SnapshotReceived> { return to_caf_error(state->why); },
      [self, state](const SnapshotTraffic& m) {
        SnapshotTraffic back{m.peer, {}};
        for (const auto& message : m.messages)
          if (const auto* fetch = std::get_if<SnapshotFetch>(&message);
              fetch != nullptr && fetch->snapshot_id.size() <= kMaxSnapshotIdBytes)
            back.messages.emplace_back(make_gone(*fetch));
        if (state->outlet && !back.messages.empty())
          self->send(state->outlet, std::move(back));
      },
      [](const ReceiveEnded&) {},
      [](const SnapshotFiguresRequest&) { return SnapshotFigures{}; },
  };
}

}  // namespace

SnapshotBuilderActor spawn_snapshot_builder(caf::actor_system& system, SpawnMode mode,
                                            Result<std::unique_ptr<SnapshotBuilder>> builder,
                                            SnapshotBuilderOptions options) {
  // Without a builder there is nothing to block on, so no thread either.
  if (!builder)
    return system.spawn(no_snapshots, builder.error());
  KIWI_ASSERT(*builder != nullptr, "a snapshot builder, or the reason why there is none");
  KIWI_ASSERT(!options.dir.empty(), "a snapshot builder needs a folder of its own");
  if (!options.log)
    options.log = std::make_shared<spdlog::logger>("snapshots");
  auto box = std::make_shared<std::unique_ptr<SnapshotBuilder>>(std::move(*builder));
  if (mode == SpawnMode::own_thread)
    return system.spawn<caf::detached>(snapshot_builder, std::move(box), std::move(options));
  return system.spawn(snapshot_builder, std::move(box), std::move(options));
}

}  // namespace kiwi
