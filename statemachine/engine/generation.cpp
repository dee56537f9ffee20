#include "statemachine/engine/generation.hpp"

#include <algorithm>
#include <tuple>

#include "messages/fault_points.hpp"

namespace kiwi {
namespace {
constexpr std::size_t kCacheLineBytes = 64;
}

const Generation::Entry* Generation::any_with(std::uint64_t hash) const {
  if (index_.empty())
    return nullptr;
  auto at = hash & mask();
  while (index_[at].entry != nullptr && index_[at].hash != hash) at = (at + 1) & mask();
  return index_[at].entry;
}

bool Generation::fetch_entry(std::uint64_t hash) const {
  const auto* entry = any_with(hash);
  if (entry == nullptr)
    return false;
  const auto* begin = reinterpret_cast<const char*>(entry);
  for (std::size_t at = 0; at < sizeof(Entry); at += kCacheLineBytes) __builtin_prefetch(begin + at);
  return true;
}

bool Generation::fetch_content(std::uint64_t hash) const {
  const auto* entry = any_with(hash);
  if (entry == nullptr)
    return false;
  __builtin_prefetch(entry->key.data());
  // Its reference count lies before the bytes: to replace it is to count it down.
  if (const auto payload = entry->slot.record.payload.view(); !payload.empty())
    __builtin_prefetch(payload.data() - sizeof(void*));
  return true;
}

Generation::Entry& Generation::add(std::uint64_t hash, std::string_view key) {
  if (3 * (entries_.size() + 1) > 2 * index_.size())
    grow(std::max<std::size_t>(64, 2 * index_.size()));
  entries_.push_back({hash, std::string(key), {}});
  place(entries_.back());
  return entries_.back();
}

void Generation::expect(std::size_t entries) {
  std::size_t places = 64;
  while (3 * entries > 2 * places) places *= 2;
  if (places > index_.size())
    grow(places);
}

void Generation::grow(std::size_t places) {
  index_.assign(places, {});
  for (auto& entry : entries_) place(entry);
}

void Generation::place(Entry& entry) {
  auto at = entry.hash & mask();
  while (index_[at].entry != nullptr) at = (at + 1) & mask();
  index_[at] = {entry.hash, &entry};
}

std::vector<const Generation::Entry*> Generation::changed_in_order(std::uint64_t from_hash) const {
  std::vector<const Entry*> ordered;
  ordered.reserve(changed.size());
  for (const auto* entry : changed)
    if (entry->hash >= from_hash)
      ordered.push_back(entry);
  std::sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    return std::tie(a->hash, a->key) < std::tie(b->hash, b->key);
  });
  return ordered;
}

void Generation::collect(rocksdb::WriteBatch& batch) const {
  auto erase_space = [&](char space) {
    const char begin[] = {space};
    const char end[] = {static_cast<char>(space + 1)};
    batch.DeleteRange(rocksdb::Slice(begin, 1), rocksdb::Slice(end, 1));
  };
  if (erased_all) {
    erase_space(data_format::kKeySpace);
    erase_space(data_format::kExpirySpace);
  }
  for (const auto* entry : changed_in_order(0)) {
    const auto& s = entry->slot;
    if (!s.present && !s.in_database)
      continue;
    if (KIWI_MUTANT(batch_tail_lost) && changed.size() > 1 && entry == changed.back())
      continue;
    const auto row = data_format::key_row(entry->hash, entry->key);
    if (!s.present) {
      batch.Delete(row);
      continue;
    }
    const auto header = data_format::encode_record_header(s.record.meta);
    const rocksdb::Slice row_part(row);
    const rocksdb::Slice parts[] = {{header.bytes, header.size},
                                    {s.record.payload.view().data(), s.record.payload.size()}};
    batch.Put(rocksdb::SliceParts(&row_part, 1), rocksdb::SliceParts(parts, 2));
  }
  for (const auto& [deadline, key] : removed) batch.Delete(data_format::expiry_row(deadline, key));
  for (const auto& [deadline, key] : added) batch.Put(data_format::expiry_row(deadline, key), {});
}

}  // namespace kiwi
