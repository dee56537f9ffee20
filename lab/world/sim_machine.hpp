#pragma once

// The production state machine under the eyes of the world: flushes its memtables from time to time, which
// RocksDB's own sizes would do in a process (inside the simulator they may not: when they fire depends on
// addresses), and says what it holds.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lab/chance.hpp"
#include "lab/world/observer.hpp"
#include "statemachine/redis_machine.hpp"
#include "statemachine/state_machine.hpp"

namespace kiwi::lab {

class SimStateMachine final : public StateMachine {
 public:
  /// `seat` points to it while it lives, and must outlive it. Draws after how many batches the next flush
  /// comes: 1 to `most_batches`; 0: never.
  /// `observer` may be null; else it sees what happens here, and `readable` says whether the disk may be read
  /// for it now without setting off a fault.
  SimStateMachine(SimStateMachine*& seat, std::unique_ptr<StateMachine> inner, ChanceStream flushes,
                  std::uint64_t most_batches, ChanceStream prompts, NodeId node = {},
                  Observer* observer = nullptr, std::function<bool()> readable = {})
      : seat_(seat),
        machine_(dynamic_cast<RedisMachine*>(inner.get())),
        inner_(std::move(inner)),
        flushes_(flushes),
        prompts_(prompts),
        most_batches_(most_batches),
        node_(node),
        observer_(observer),
        readable_(std::move(readable)) {
    seat_ = this;
    draw();
  }
  ~SimStateMachine() override {
    if (seat_ == this)
      seat_ = nullptr;
  }

  AppliedState applied_state() const override { return inner_->applied_state(); }
  Result<ApplyResult> apply(const std::vector<Entry>& entries) override {
    auto result = inner_->apply(entries);
    if (result && observer_ != nullptr) {
      observer_->applied(node_, entries, result->replies);
      if (observer_->wants_digest(node_, entries.back().id.index))
        tell_digest(false);
    }
    if (result && left_ != 0 && --left_ == 0) {
      draw();
      auto flushed = machine_ != nullptr && happens(flushes_.next(), 0.5) ? flush_written() : flush();
      if (!flushed)
        return tl::unexpected(flushed.error());
    }
    return result;
  }
  /// Half of what could be done at once is left to the owner, so that both come one after the other.
  std::optional<AppliedAtOnce> apply_at_once(const std::vector<Entry>& entries) override {
    if (happens(prompts_.next(), 0.5))
      return std::nullopt;
    auto done = inner_->apply_at_once(entries);
    if (done && observer_ != nullptr) {
      observer_->applied(node_, entries, done->result.replies);
      if (observer_->wants_digest(node_, entries.back().id.index))
        tell_digest(false);
    }
    return done;
  }
  std::optional<AnsweredAtOnce> query_at_once(const std::vector<StateQuery>& queries) override {
    if (happens(prompts_.next(), 0.5))
      return std::nullopt;
    auto done = inner_->query_at_once(queries);
    if (done && observer_ != nullptr)
      for (std::size_t i = 0; i < queries.size(); ++i)
        observer_->queried(node_, done->applied, queries[i], done->answers[i]);
    return done;
  }
  std::function<void()> work_aside() override { return inner_->work_aside(); }
  Result<StateAnswer> query(const StateQuery& query) override {
    auto answer = inner_->query(query);
    if (answer && observer_ != nullptr)
      observer_->queried(node_, inner_->applied_state().applied.index, query, *answer);
    return answer;
  }
  Result<Index> flush() override {
    if (observer_ != nullptr)
      tell_digest(true);
    auto flushed = inner_->flush();
    if (flushed && observer_ != nullptr)
      observer_->flushed(node_, inner_->durable_applied());
    return flushed;
  }
  Result<bool> background_work() override { return inner_->background_work(); }
  Result<bool> scrub(std::uint64_t max_bytes) override { return inner_->scrub(max_bytes); }
  std::optional<StateDigest> digest(Index index) const override { return inner_->digest(index); }
  Result<std::optional<StateDigest>> digest_now() override { return inner_->digest_now(); }
  StateStats stats() const override { return inner_->stats(); }
  Result<std::unique_ptr<SnapshotBuilder>> get_snapshot_builder() override {
    auto builder = inner_->get_snapshot_builder();
    if (!builder || observer_ == nullptr)
      return builder;
    return std::make_unique<Watched>(*this, std::move(*builder));
  }
  Result<std::string> begin_receiving_snapshot(const SnapshotMeta& meta) override {
    return inner_->begin_receiving_snapshot(meta);
  }
  Index durable_applied() override { return inner_->durable_applied(); }
  Result<void> request_flush() override {
    auto flushed = flush();
    if (!flushed)
      return tl::unexpected(flushed.error());
    return {};
  }
  Result<void> finish_install() override { return inner_->finish_install(); }
  Result<void> install_snapshot(const SnapshotMeta& meta, const std::string& folder) override {
    if (observer_ != nullptr)
      observer_->installing(node_, meta.last_log_id);
    auto done = inner_->install_snapshot(meta, folder);
    if (done && observer_ != nullptr) {
      observer_->installed(node_, meta.last_log_id);
      tell_digest(false);
    }
    return done;
  }
  Result<std::optional<SnapshotMeta>> get_current_snapshot() override {
    return inner_->get_current_snapshot();
  }

 private:
  /// What a snapshot may hold, now or since the last flush, has a digest that who installs it is held to.
  class Watched final : public SnapshotBuilder {
   public:
    Watched(SimStateMachine& machine, std::unique_ptr<SnapshotBuilder> inner)
        : seat_(machine.seat_), inner_(std::move(inner)) {}
    Result<SnapshotManifest> build_snapshot(const std::string& parent) override {
      if (seat_ != nullptr)
        seat_->tell_digest(true);
      auto built = inner_->build_snapshot(parent);
      if (seat_ != nullptr)
        seat_->observer_->flushed(seat_->node_, seat_->inner_->durable_applied());
      return built;
    }
    Result<std::vector<SnapshotFile>> link_current_files(const std::string& folder) override {
      return inner_->link_current_files(folder);
    }
    Result<void> accepts(const SnapshotManifest& manifest) const override {
      return inner_->accepts(manifest);
    }
    Result<void> check_received(const SnapshotMeta& meta, const std::string& folder) override {
      return inner_->check_received(meta, folder);
    }

   private:
    SimStateMachine*& seat_;  // empty once the machine is gone
    std::unique_ptr<SnapshotBuilder> inner_;
  };

  void tell_digest(bool flushing) {
    // Also without a digest it is worth knowing that this state may become durable.
    StateDigest digest;
    digest.index = inner_->applied_state().applied.index;
    if (readable_()) {
      if (auto now = inner_->digest_now(); now && *now)
        digest = std::move(**now);
    }
    observer_->digest(node_, digest, flushing);
  }
  /// As a process does when a memtable is full: what is still gathered in memory is not in it.
  Result<Index> flush_written() {
    if (observer_ != nullptr) {
      StateDigest digest;
      digest.index = machine_->written();
      if (readable_()) {
        if (auto now = machine_->digest_written(); now && *now)
          digest = std::move(**now);
      }
      observer_->digest(node_, digest, true);
    }
    auto flushed = machine_->flush_written();
    if (flushed && observer_ != nullptr)
      observer_->flushed(node_, inner_->durable_applied());
    return flushed;
  }
  void draw() { left_ = most_batches_ == 0 ? 0 : 1 + below(flushes_.next(), most_batches_); }

  SimStateMachine*& seat_;
  RedisMachine* machine_;  // null: another kind
  std::unique_ptr<StateMachine> inner_;
  ChanceStream flushes_;
  ChanceStream prompts_;
  std::uint64_t most_batches_;
  std::uint64_t left_ = 0;
  NodeId node_;
  Observer* observer_;
  std::function<bool()> readable_;
};

}  // namespace kiwi::lab
