#include "snapshot_world.hpp"

#include <algorithm>

#include "actors/storage_errors.hpp"
#include "messages/content_hash.hpp"
#include "storage/durable_dir.hpp"

namespace kiwi::test {

std::string noise(std::uint64_t seed, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
  for (auto& c : text) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    c = static_cast<char>(x >> 32);
  }
  return text;
}

std::string prose(std::uint64_t seed, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "key:" + std::to_string(seed + text.size() / 64) + " holds a kiwi; ";
  text.resize(bytes);
  return text;
}

SnapshotFile describe(const std::string& name, const std::string& content) {
  ContentHasher hasher;
  hasher.add(content);
  const auto hash = hasher.hash();
  return {name, content.size(), hash.low, hash.high};
}

SnapshotManifest manifest_of(const FakeState& state) {
  SnapshotManifest manifest;
  manifest.meta.last_log_id = state.at;
  manifest.format = state.format;
  std::string all;
  for (const auto& [name, content] : state.files) {
    manifest.files.push_back(describe(name, content));
    all += name + content;
  }
  manifest.meta.snapshot_id = to_string(state.at.term) + "-" + to_string(state.at.index) + "-" +
                              std::to_string(describe("", all).checksum_low);
  return manifest;
}

namespace {
tl::unexpected<StorageError> failure(std::string cause) {
  return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::write, StorageKind::io,
                                     std::move(cause), StorageOutcome::unknown});
}
}  // namespace

Result<SnapshotManifest> FakeBuilder::build_snapshot(const std::string& parent) {
  if (state_->fails)
    return failure("the disk says no");
  ++state_->builds;
  auto manifest = manifest_of(*state_);
  const auto folder = parent + "/" + manifest.meta.snapshot_id;
  if (!storage::make_dir_durably(*env_, folder).ok())
    return failure("no folder");
  for (const auto& [name, content] : state_->files)
    if (!rocksdb::WriteStringToFile(env_, content, folder + "/" + name, true).ok())
      return failure("not written");
  return manifest;
}

Result<void> FakeBuilder::accepts(const SnapshotManifest& manifest) const {
  if (manifest.format == state_->format)
    return {};
  return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::open, StorageKind::mismatch,
                                     "another format", StorageOutcome::not_written});
}

Result<void> FakeBuilder::check_received(const SnapshotMeta&, const std::string&) {
  if (!state_->finds_received_wrong)
    return {};
  return tl::unexpected(StorageError{StorageSubject::snapshot, StorageVerb::open, StorageKind::corruption,
                                     "not that state", StorageOutcome::not_written});
}

Result<std::vector<SnapshotFile>> FakeBuilder::link_current_files(const std::string& folder) {
  ++state_->looks;
  std::vector<SnapshotFile> files;
  std::vector<std::string> names;
  if (!env_->GetChildren(kDataDir, &names).ok())
    return files;
  std::sort(names.begin(), names.end());
  if (!storage::make_dir_durably(*env_, folder).ok())
    return failure("no folder");
  for (const auto& name : names) {
    const auto path = std::string(kDataDir) + "/" + name;
    std::string content;
    if (!rocksdb::ReadFileToString(env_, path, &content).ok() ||
        !env_->LinkFile(path, folder + "/" + name).ok())
      return failure("not linked");
    files.push_back(describe(name, content));
  }
  return files;
}

// --- a node

SnapshotNode::SnapshotNode(SnapshotWorld& world, NodeId node)
    : id(node), world_(world), machine_(std::make_unique<sim::SimMachine>()) {
  options.dir = kDir;
  outlet_ = &world_.actors.stub();
}

void SnapshotNode::start() {
  options.env = &machine_->env;
  actor_ =
      world_.actors.watch(spawn_snapshot_builder(world_.actors.system(), SpawnMode::scheduled,
                                                 std::make_unique<FakeBuilder>(state, options.env), options));
  world_.actors.tell(actor_, ConnectOutlet{outlet_->as<SnapshotOutlet>()});
  world_.actors.run();
}

void SnapshotNode::stop() {
  if (!actor_)
    return;
  world_.actors.exit(actor_);
  actor_ = SnapshotBuilderActor();
  world_.actors.run();
  outlet_->calls().clear();
}

void SnapshotNode::kill() {
  stop();
  machine_ = std::make_unique<sim::SimMachine>(machine_->disk.after_kill());
  start();
}

void SnapshotNode::cut_power() {
  auto disk = machine_->disk.after_power_failure();
  machine_->power_off();
  stop();
  machine_ = std::make_unique<sim::SimMachine>(std::move(disk));
  start();
}

SnapshotFigures SnapshotNode::figures() {
  auto question = world_.actors.ask<SnapshotFigures>(actor_, SnapshotFiguresRequest{});
  world_.actors.run();
  return question.reply();
}

Question<SnapshotManifest> SnapshotNode::build(std::uint64_t at_least) {
  auto question = world_.actors.ask<SnapshotManifest>(actor_, BuildSnapshot{Index(at_least)});
  world_.actors.run();
  return question;
}

Question<SnapshotReceived> SnapshotNode::receive(NodeId from, SnapshotManifest manifest) {
  return world_.actors.ask<SnapshotReceived>(actor_, ReceiveSnapshot{from, std::move(manifest)});
}

std::string SnapshotNode::content(const std::string& path) const {
  std::string content;
  rocksdb::ReadFileToString(&machine_->env, path, &content);
  return content;
}

std::map<std::string, std::string> SnapshotNode::files_in(const std::string& folder) const {
  std::map<std::string, std::string> files;
  for (const auto& [path, file] : machine_->disk.files())
    if (path.starts_with(folder + "/"))
      files[path.substr(folder.size() + 1)] = content(path);
  return files;
}

// --- the network

SnapshotWorld::~SnapshotWorld() {
  // Their disks must outlive them.
  for (auto* each : {&a, &b, &c}) each->stop();
}

void SnapshotWorld::deliver(SnapshotNode& sender) {
  for (auto& report : sender.outlet().take<SnapshotProgress>()) progress.push_back(report);
  for (auto& traffic : sender.outlet().take<SnapshotTraffic>())
    for (auto& message : traffic.messages) {
      if (const auto* part = std::get_if<SnapshotPart>(&message)) {
        sent_bytes += part->data.size();
        ++sent_parts;
        ++parts_to[traffic.peer];
      }
      travelling_.push_back({sender.id, traffic.peer, std::move(message)});
    }
}

void SnapshotWorld::settle() {
  for (;;) {
    actors.run();
    for (auto* sender : {&a, &b, &c}) deliver(*sender);
    if (travelling_.empty())
      return;
    auto now = std::exchange(travelling_, {});
    if (shuffled)
      std::reverse(now.begin(), now.end());
    for (auto& packet : now) {
      const int times = network(packet);
      for (int i = 0; i < times; ++i)
        if (auto& to = node(packet.to); to.actor())
          actors.tell(to.actor(), SnapshotTraffic{packet.from, {packet.message}});
    }
  }
}

bool SnapshotWorld::run_until(const std::function<bool()>& done, std::uint64_t ms) {
  settle();
  for (std::uint64_t passed = 0; !done(); passed += kPaceTickMs) {
    if (passed >= ms)
      return false;
    actors.advance(kPaceTickMs);
    settle();
  }
  return true;
}

}  // namespace kiwi::test
