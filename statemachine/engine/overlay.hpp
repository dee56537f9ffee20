#pragma once

// The state in the middle of an apply: the database plus what the entries of the batch changed so far. Later
// entries see earlier ones; one WriteBatch takes all of it to the database at the end.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rocksdb/write_batch.h"
#include "statemachine/engine/database.hpp"
#include "statemachine/engine/key_view.hpp"
#include "statemachine/engine/record_cache.hpp"

namespace kiwi {

class Overlay final : public KeyView {
 public:
  /// `state` is the machine's own; counters and clock are kept there. All three must outlive the overlay.
  Overlay(Database& database, RecordCache& cache, data_format::SystemState& state)
      : database_(database), cache_(cache), state_(state) {}

  // --- KeyView, at the machine's clock
  std::optional<Meta> meta(std::string_view key) override;
  std::optional<Record> get(std::string_view key) override;
  void walk(std::uint64_t from_hash, const Visitor& visit) override;
  std::uint64_t key_count() const override { return state_.keys; }

  // --- Changes
  /// Replaces whatever the key held. Sets written_ms. A deadline that has passed already removes the key.
  void put(std::string_view key, Record record);
  /// False: there was no such key.
  bool erase(std::string_view key);
  void erase_all();
  /// Removes up to `limit` keys whose deadline has passed, earliest first. Gives how many.
  std::uint64_t remove_expired(std::uint64_t limit);

  /// The earliest deadline of all keys; 0: none has one.
  std::uint64_t first_deadline();
  /// About what this holds in memory.
  std::uint64_t bytes() const { return bytes_; }
  /// Adds all changes to `batch`.
  void collect(rocksdb::WriteBatch& batch);
  /// Forgets everything; call when collect()'s batch is written. What changed goes to the cache.
  void reset();
  /// Right after opening.
  void load_first_deadline();

 private:
  struct SlotKey {
    std::uint64_t hash;
    std::string key;
  };
  struct SlotKeyView {
    std::uint64_t hash;
    std::string_view key;
  };
  struct SlotHash {
    using is_transparent = void;
    std::size_t operator()(const SlotKey& k) const { return k.hash; }
    std::size_t operator()(const SlotKeyView& k) const { return k.hash; }
  };
  struct SlotEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.hash == b.hash && a.key == b.key;
    }
  };
  struct Slot {
    bool in_database = false;  // a row is there (invariant: false after erase_all)
    bool present = false;      // as of now; its time may have passed
    bool has_payload = false;  // record.payload is loaded
    bool changed = false;
    Record record;
  };
  using Slots = std::unordered_map<SlotKey, Slot, SlotHash, SlotEqual>;
  using Deadline = std::pair<std::uint64_t, std::string>;

  Slots::value_type& slot(std::string_view key, bool want_payload);
  void load(std::string_view key, std::uint64_t hash, Slot& slot, bool want_payload);
  bool alive(const Slot& slot) const {
    return slot.present &&
           (slot.record.meta.expire_at_ms == 0 || slot.record.meta.expire_at_ms > state_.clock_ms);
  }
  void mark_changed(Slots::value_type& entry);
  void remove(Slots::value_type& entry);
  void add_deadline(std::uint64_t deadline_ms, const std::string& key);
  void remove_deadline(std::uint64_t deadline_ms, const std::string& key);
  std::optional<Deadline> first_in_database();
  std::optional<Deadline> first_expiry();

  Database& database_;
  RecordCache& cache_;
  data_format::SystemState& state_;
  rocksdb::PinnableSlice value_;
  Slots slots_;
  std::vector<Slots::value_type*> changed_;  // in the order of their first change
  bool erased_all_ = false;
  std::uint64_t bytes_ = 0;

  // Deadlines that the batch adds to and takes from the index. Invariant: disjoint.
  std::set<Deadline> added_;
  std::set<Deadline> removed_;
  /// The earliest deadline in the database as of the last reset; 0: none. Below it there are only the traces
  /// of removed rows, which are slow to walk over: every search begins here.
  std::uint64_t database_first_ms_ = 0;
  /// The row at database_first_ms_ may be in removed_, so the index must be asked.
  bool first_unsure_ = false;
  std::unique_ptr<rocksdb::Iterator> index_;
};

}  // namespace kiwi
