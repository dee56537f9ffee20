#include "statemachine/engine/generation.hpp"

#include <algorithm>
#include <tuple>

#include "messages/fault_points.hpp"

namespace kiwi {

std::vector<const Generation::Slots::value_type*> Generation::changed_in_order(
    std::uint64_t from_hash) const {
  std::vector<const Slots::value_type*> ordered;
  ordered.reserve(changed.size());
  for (const auto* entry : changed)
    if (entry->first.hash >= from_hash)
      ordered.push_back(entry);
  std::sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    return std::tie(a->first.hash, a->first.key) < std::tie(b->first.hash, b->first.key);
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
    const auto& [name, s] = *entry;
    if (!s.present && !s.in_database)
      continue;
    if (KIWI_MUTANT(batch_tail_lost) && changed.size() > 1 && entry == changed.back())
      continue;
    const auto row = data_format::key_row(name.hash, name.key);
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
