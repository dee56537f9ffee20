#include "statemachine/engine/record_cache.hpp"

namespace kiwi {

RecordCache::Line* RecordCache::line_for(std::uint64_t hash, std::string_view key, bool keep) {
  if (lines_.empty()) {
    if (limit_ == 0 || !keep)
      return nullptr;
    lines_.resize(limit_);
  }
  auto& line = lines_[hash % lines_.size()];
  const bool same = line.known && line.hash == hash && line.key == key;
  if (!keep) {
    if (same)
      line = {};
    return nullptr;
  }
  if (!same) {
    line.known = true;
    line.hash = hash;
    line.key = key;
  }
  return &line;
}

void RecordCache::put(std::uint64_t hash, std::string_view key, const data_format::Meta& meta,
                      std::string_view payload) {
  const bool keep = key.size() <= kMaxItemBytes && payload.size() <= kMaxItemBytes;
  if (auto* line = line_for(hash, key, keep)) {
    line->present = true;
    line->record.meta = meta;
    line->record.payload = Bytes::copy_of(payload);  // a window would keep a whole buffer of the log alive
  }
}

void RecordCache::put_absent(std::uint64_t hash, std::string_view key) {
  if (auto* line = line_for(hash, key, key.size() <= kMaxItemBytes)) {
    line->present = false;
    line->record = {};
  }
}

void RecordCache::clear() { lines_.clear(); }

}  // namespace kiwi
