#pragma once

// Changes of a run of whole entries that the database does not hold yet: what one WriteBatch will take to it.
// While it is written, and until the next one is, it is also the memory of what it holds.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rocksdb/write_batch.h"
#include "statemachine/data_format.hpp"

namespace kiwi {

/// Filled by one thread (Overlay). Once it is not changed any more, several may read it.
struct Generation {
  struct Slot {
    bool in_database = false;  // a row is there, or will be before this generation's rows
    bool present = false;      // as of now; its time may have passed
    bool has_payload = false;  // record.payload is loaded
    bool changed = false;
    data_format::Record record;
  };
  struct Entry {
    std::uint64_t hash = 0;
    std::string key;
    Slot slot;
  };
  using Deadline = std::pair<std::uint64_t, std::string>;

  /// Null: this generation does not know the key.
  const Entry* find(std::uint64_t hash, std::string_view key) const {
    if (index_.empty())
      return nullptr;
    for (auto at = hash & mask();; at = (at + 1) & mask()) {
      const auto& place = index_[at];
      if (place.entry == nullptr)
        return nullptr;
      if (place.hash == hash && place.entry->key == key)
        return place.entry;
    }
  }
  Entry* find(std::uint64_t hash, std::string_view key) {
    return const_cast<Entry*>(std::as_const(*this).find(hash, key));
  }
  /// Three steps that ask the CPU for what find() and a change of the record will look at. Each needs what
  /// the one before fetched. True: this generation probably knows the key.
  bool fetch_place(std::uint64_t hash) const {
    if (!index_.empty())
      __builtin_prefetch(&index_[hash & mask()]);
    return false;
  }
  bool fetch_entry(std::uint64_t hash) const;
  bool fetch_content(std::uint64_t hash) const;
  /// Requires a key that it does not know. The entry stays where it is.
  Entry& add(std::uint64_t hash, std::string_view key);
  std::size_t size() const { return entries_.size(); }
  /// There will be about so many.
  void expect(std::size_t entries);
  /// Adds all changes to `batch`, in the order of the rows: that is what a memtable takes fastest.
  void collect(rocksdb::WriteBatch& batch) const;
  /// The changed slots in the order of their rows, from this hash on.
  std::vector<const Entry*> changed_in_order(std::uint64_t from_hash) const;

  std::vector<Entry*> changed;  // in the order of their first change
  // Deadlines to be added to and taken from the index. Invariant: disjoint.
  std::set<Deadline> added;
  std::set<Deadline> removed;
  bool erased_all = false;  // before all else in here
  std::uint64_t bytes = 0;  // about what it takes in memory

 private:
  /// Open addressing, at most two thirds full, a power of two: one look into memory finds that a key is not
  /// there, and a second one its entry. std::unordered_map took three to five.
  struct Place {
    std::uint64_t hash = 0;
    Entry* entry = nullptr;
  };
  std::uint64_t mask() const { return index_.size() - 1; }
  /// Of some key with this hash; null: none.
  const Entry* any_with(std::uint64_t hash) const;
  void grow(std::size_t places);
  void place(Entry& entry);

  std::vector<Place> index_;
  std::deque<Entry> entries_;
};

}  // namespace kiwi
