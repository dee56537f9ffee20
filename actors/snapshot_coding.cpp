#include "actors/snapshot_coding.hpp"

#include <lz4.h>

#include <utility>

#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"

namespace kiwi {

namespace {

std::optional<std::string> packed(const std::string& bytes) {
  const auto room = bytes.size() - bytes.size() / 16;
  std::string out(room, '\0');
  const int size = LZ4_compress_default(bytes.data(), out.data(), static_cast<int>(bytes.size()),
                                        static_cast<int>(out.size()));
  if (size <= 0)
    return std::nullopt;
  out.resize(static_cast<std::size_t>(size));
  out.shrink_to_fit();
  return out;
}

std::optional<std::string> unpacked(std::string_view data, std::uint32_t bytes) {
  std::string out(bytes, '\0');
  const int size = LZ4_decompress_safe(data.data(), out.data(), static_cast<int>(data.size()),
                                       static_cast<int>(out.size()));
  if (size < 0 || static_cast<std::uint32_t>(size) != bytes)
    return std::nullopt;
  return out;
}

SnapshotPart answer_to(const SnapshotFetch& fetch) {
  SnapshotPart part;
  part.snapshot_id = fetch.snapshot_id;
  part.file = fetch.file;
  part.offset = fetch.offset;
  return part;
}

}  // namespace

SnapshotPart make_part(const SnapshotFetch& fetch, std::string bytes, bool pack) {
  KIWI_ASSERT(bytes.size() <= kMaxSnapshotPartBytes, "a part of a snapshot beyond its limit");
  auto part = answer_to(fetch);
  part.bytes = static_cast<std::uint32_t>(bytes.size());
  part.checksum = checksum64(bytes);
  if (auto fewer = pack ? packed(bytes) : std::nullopt) {
    part.coding = PartCoding::lz4;
    part.data = Bytes(std::move(*fewer));
  } else {
    part.data = Bytes(std::move(bytes));
  }
  return part;
}

SnapshotPart make_gone(const SnapshotFetch& fetch) {
  auto part = answer_to(fetch);
  part.gone = true;
  return part;
}

std::optional<std::string> content_of(const SnapshotPart& part, std::uint32_t bytes) {
  KIWI_ASSERT(bytes <= kMaxSnapshotPartBytes, "a part of a snapshot beyond its limit");
  if (part.bytes != bytes || part.data.size() > bytes)
    return std::nullopt;
  std::optional<std::string> content;
  if (part.coding == PartCoding::lz4)
    content = unpacked(part.data.view(), bytes);
  else if (part.coding == PartCoding::plain && part.data.size() == bytes)
    content = part.data.str();
  if (!content || checksum64(*content) != part.checksum)
    return std::nullopt;
  return content;
}

}  // namespace kiwi
