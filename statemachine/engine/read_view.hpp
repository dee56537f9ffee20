#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "statemachine/engine/database.hpp"
#include "statemachine/engine/key_view.hpp"
#include "statemachine/engine/overlay.hpp"
#include "statemachine/engine/record_cache.hpp"

namespace kiwi {

/// The applied state as a query sees it. Two times matter (rule 8): the machine's clock decides what exists;
/// a key that exists by the clock but whose deadline has passed by the asker's time is treated as gone, and
/// the reply must be held back until a tick makes that so for every later leader.
class ReadView final : public KeyView {
 public:
  struct Counts {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };

  /// `write_all` brings all of the overlay's changes to the database: what walks over keys reads only that.
  ReadView(Database& database, RecordCache& cache, const Overlay& overlay,
           const data_format::SystemState& state, std::uint64_t now_ms, Counts& counts,
           std::function<void()> write_all)
      : database_(database),
        cache_(cache),
        overlay_(overlay),
        write_all_(std::move(write_all)),
        state_(state),
        now_ms_(std::max(now_ms, state.clock_ms)),
        counts_(counts) {}

  std::optional<Meta> meta(std::string_view key) override;
  std::optional<Record> get(std::string_view key) override;
  void walk(std::uint64_t from_hash, const Visitor& visit) override;
  std::uint64_t key_count() const override { return state_.keys; }

  /// The asker's time, never before the machine's clock.
  std::uint64_t now_ms() const { return now_ms_; }
  /// Not 0: what was read may be told only once an entry with this stamp is applied.
  std::uint64_t needs_tick_ms() const { return needs_tick_ms_; }

 private:
  std::optional<Record> find(std::string_view key, bool want_payload);
  /// The key's record when there is one, its time passed or not; its payload may be missing unless wanted.
  bool load(std::string_view key, Record& record, bool want_payload);
  bool alive(const Meta& meta);

  Database& database_;
  RecordCache& cache_;
  const Overlay& overlay_;
  std::function<void()> write_all_;
  const data_format::SystemState& state_;
  std::uint64_t now_ms_;
  Counts& counts_;
  std::uint64_t needs_tick_ms_ = 0;
  rocksdb::PinnableSlice value_;
};

}  // namespace kiwi
