#pragma once

// Changes of a run of whole entries that the database does not hold yet: what one WriteBatch will take to it.
// While it is written, and until the next one is, it is also the memory of what it holds.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rocksdb/write_batch.h"
#include "statemachine/data_format.hpp"

namespace kiwi {

/// Filled by one thread (Overlay). Once it is not changed any more, several may read it.
struct Generation {
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
    bool in_database = false;  // a row is there, or will be before this generation's rows
    bool present = false;      // as of now; its time may have passed
    bool has_payload = false;  // record.payload is loaded
    bool changed = false;
    data_format::Record record;
  };
  using Slots = std::unordered_map<SlotKey, Slot, SlotHash, SlotEqual>;
  using Deadline = std::pair<std::uint64_t, std::string>;

  /// Null: this generation does not know the key.
  const Slot* find(std::uint64_t hash, std::string_view key) const {
    const auto found = slots.find(SlotKeyView{hash, key});
    return found == slots.end() ? nullptr : &found->second;
  }
  /// Adds all changes to `batch`, in the order of the rows: that is what a memtable takes fastest.
  void collect(rocksdb::WriteBatch& batch) const;
  /// The changed slots in the order of their rows, from this hash on.
  std::vector<const Slots::value_type*> changed_in_order(std::uint64_t from_hash) const;

  Slots slots;
  std::vector<Slots::value_type*> changed;  // in the order of their first change
  // Deadlines to be added to and taken from the index. Invariant: disjoint.
  std::set<Deadline> added;
  std::set<Deadline> removed;
  bool erased_all = false;  // before all else in here
  std::uint64_t bytes = 0;  // about what it takes in memory
};

}  // namespace kiwi
