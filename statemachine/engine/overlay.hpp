#pragma once

// The state in the middle of an apply: the database plus what entries changed that the database does not hold
// yet. Later entries see earlier ones. The changes are gathered in generations, of many batches of entries
// each: one collects, and the one before it is on its way to the database, or there already and still a
// memory of it. The database has no log of its own, so nothing is lost by this that a memtable would keep:
// after a crash the Raft log is applied again from what was flushed.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "statemachine/engine/database.hpp"
#include "statemachine/engine/generation.hpp"
#include "statemachine/engine/key_view.hpp"
#include "statemachine/engine/record_cache.hpp"

namespace kiwi {

class Overlay final : public KeyView {
 public:
  /// `state` is the machine's own; counters and clock are kept there. `wait_written` returns once the
  /// generation before this one is in the database. All must outlive the overlay.
  Overlay(Database& database, RecordCache& cache, data_format::SystemState& state,
          std::function<void()> wait_written)
      : database_(database), cache_(cache), state_(state), wait_written_(std::move(wait_written)) {}

  // --- KeyView, at the machine's clock
  std::optional<Meta> meta(std::string_view key) override;
  std::optional<Record> get(std::string_view key) override;
  void walk(std::uint64_t from_hash, const Visitor& visit) override;
  std::uint64_t key_count() const override { return state_.keys; }

  /// Keys with these hashes are about to be asked for: has the CPU fetch what is known of them here, all at
  /// the same time, where slot() would wait for one after the other.
  void foresee(std::span<const std::uint64_t> hashes) const;

  // --- Changes
  /// Replaces whatever the key held. Sets written_ms. A deadline that has passed already removes the key.
  void put(std::string_view key, Record record);
  /// False: there was no such key.
  bool erase(std::string_view key);
  void erase_all();
  /// Removes up to `limit` keys whose deadline has passed, earliest first. Gives how many.
  std::uint64_t remove_expired(std::uint64_t limit);

  // --- For queries
  enum class Known { absent, present, unknown };
  /// What is known here of the key without the database, which is right about a key that is unknown here.
  /// Without `want_payload` the record's payload may be missing.
  Known look(std::uint64_t hash, std::string_view key, bool want_payload, Record& record) const;

  // --- For what must not wait
  /// True: the key's record, of at most this much payload, can be read, replaced and removed without the
  /// database. Takes what that has in memory into the cache.
  bool at_hand(std::string_view key, std::uint64_t most_payload_bytes);
  /// The same, by what is in the generations and in the cache alone.
  enum class Reach { at_hand, too_much, unknown };
  Reach reach(std::uint64_t hash, std::string_view key, std::uint64_t most_payload_bytes) const;
  /// True: no deadline passes up to this time, and neither for that nor for the next deadline must the
  /// database be asked, after one change of one key that is at hand.
  bool no_deadline_until(std::uint64_t clock_ms) const {
    return !first_unsure_ && (database_first_ms_ == 0 || database_first_ms_ > clock_ms) &&
           (now_->added.empty() || now_->added.begin()->first > clock_ms);
  }
  /// True: the same after any number of them, whatever deadlines they set and pass.
  bool deadlines_in_memory() const {
    return !first_unsure_ && database_first_ms_ == 0 && now_->removed.empty();
  }

  /// The earliest deadline of all keys; 0: none has one.
  std::uint64_t first_deadline();
  /// About what the changes take in memory that no generation before holds.
  std::uint64_t bytes() const { return now_->bytes; }
  /// Ends this generation. Requires that the one before is in the database. `old` gets that one: nobody needs
  /// it any more, and to destroy it takes a while.
  std::shared_ptr<const Generation> end_generation(std::shared_ptr<const Generation>& old);
  /// Between two batches: holds on to nothing of the database.
  void release() { index_.reset(); }
  /// Right after opening.
  void load_first_deadline();

 private:
  using Slot = Generation::Slot;
  using Deadline = Generation::Deadline;

  Generation::Entry& slot(std::string_view key, bool want_payload);
  void load(std::string_view key, std::uint64_t hash, Slot& slot, bool want_payload);
  bool alive(const Slot& slot) const {
    return slot.present &&
           (slot.record.meta.expire_at_ms == 0 || slot.record.meta.expire_at_ms > state_.clock_ms);
  }
  void mark_changed(Generation::Entry& entry);
  void remove(Generation::Entry& entry);
  void add_deadline(std::uint64_t deadline_ms, const std::string& key);
  void remove_deadline(std::uint64_t deadline_ms, const std::string& key);
  std::optional<Deadline> first_in_database();
  std::optional<Deadline> first_expiry();

  Database& database_;
  RecordCache& cache_;
  data_format::SystemState& state_;
  std::function<void()> wait_written_;
  rocksdb::PinnableSlice value_;
  std::shared_ptr<Generation> now_ = std::make_shared<Generation>();
  std::shared_ptr<const Generation> before_;  // null: none, or all keys were erased since

  /// The earliest deadline of the database's index that this generation does not remove; 0: none. Below it
  /// there are only the traces of removed rows, which are slow to walk over: every search begins here.
  std::uint64_t database_first_ms_ = 0;
  /// That row may be removed by now, so the index must be asked: it is there or behind.
  bool first_unsure_ = false;
  std::unique_ptr<rocksdb::Iterator> index_;
};

}  // namespace kiwi
