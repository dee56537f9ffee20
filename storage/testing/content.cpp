#include "storage/testing/content.hpp"

#include <algorithm>
#include <cstring>

#include "messages/assert.hpp"

namespace kiwi::sim {

std::uint64_t Content::fill_of(std::size_t chunk) const {
  return std::min(kChunkBytes, size_ - chunk * kChunkBytes);
}

/// A chunk that nobody else sees, cut to what this content sees of it.
Content::Chunk& Content::own(std::size_t chunk) {
  auto& slot = chunks_[chunk];
  const auto fill = fill_of(chunk);
  if (slot.use_count() > 1) {
    slot = std::make_shared<Chunk>(Chunk{slot->bytes.substr(0, fill)});
  } else {
    slot->bytes.resize(fill);
  }
  return *slot;
}

void Content::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto chunk = static_cast<std::size_t>(size_ / kChunkBytes);
    const auto at = size_ % kChunkBytes;
    if (chunk == chunks_.size()) {
      chunks_.push_back(std::make_shared<Chunk>());
    } else if (chunks_[chunk]->bytes.size() != at) {
      own(chunk);  // somebody else has written behind our end
    }
    const auto piece = std::min<std::uint64_t>(bytes.size(), kChunkBytes - at);
    chunks_[chunk]->bytes.append(bytes.substr(0, piece));
    size_ += piece;
    bytes.remove_prefix(piece);
  }
}

void Content::resize(std::uint64_t size) {
  if (size > size_) {
    append(std::string(size - size_, '\0'));
    return;
  }
  size_ = size;
  chunks_.resize((size + kChunkBytes - 1) / kChunkBytes);
}

void Content::overwrite(std::uint64_t offset, std::string_view bytes) {
  if (offset > size_) {
    resize(offset);
  }
  while (!bytes.empty() && offset < size_) {
    const auto chunk = static_cast<std::size_t>(offset / kChunkBytes);
    const auto at = offset % kChunkBytes;
    const auto piece = std::min<std::uint64_t>(bytes.size(), fill_of(chunk) - at);
    own(chunk).bytes.replace(at, piece, bytes.substr(0, piece));
    offset += piece;
    bytes.remove_prefix(piece);
  }
  append(bytes);
}

void Content::take(const Content& other, std::uint64_t begin, std::uint64_t end) {
  KIWI_ASSERT(begin <= end && end <= other.size_, "a range beyond the end of a file");
  if (begin > size_) {
    resize(begin);
  }
  while (begin < end) {
    const auto chunk = static_cast<std::size_t>(begin / kChunkBytes);
    const auto piece_end = std::min<std::uint64_t>(end, (chunk + 1) * kChunkBytes);
    const bool ours = chunk < chunks_.size() && chunks_[chunk] == other.chunks_[chunk];
    const bool fresh = chunk == chunks_.size() && begin % kChunkBytes == 0;
    if (fresh) {
      chunks_.push_back(other.chunks_[chunk]);
    }
    if (ours || fresh) {
      // The same chunk: its bytes up to there are there already, only our end was before them.
      size_ = std::max(size_, piece_end);
    } else {
      overwrite(begin,
                std::string_view(other.chunks_[chunk]->bytes).substr(begin % kChunkBytes, piece_end - begin));
    }
    begin = piece_end;
  }
}

std::uint64_t Content::read(std::uint64_t offset, std::uint64_t n, char* to) const {
  const auto begin = std::min(offset, size_);
  const auto end = begin + std::min(n, size_ - begin);
  for (auto at = begin; at < end;) {
    const auto chunk = static_cast<std::size_t>(at / kChunkBytes);
    const auto piece = std::min(end - at, kChunkBytes - at % kChunkBytes);
    std::memcpy(to + (at - begin), chunks_[chunk]->bytes.data() + at % kChunkBytes, piece);
    at += piece;
  }
  return end - begin;
}

std::string Content::str(std::uint64_t offset, std::uint64_t n) const {
  const auto begin = std::min(offset, size_);
  std::string out(std::min(n, size_ - begin), '\0');
  read(begin, out.size(), out.data());
  return out;
}

void Content::flip(std::uint64_t bit) {
  KIWI_ASSERT(bit / 8 < size_, "a flip beyond the end of a file");
  auto& byte = own(static_cast<std::size_t>(bit / 8 / kChunkBytes)).bytes[bit / 8 % kChunkBytes];
  byte = static_cast<char>(byte ^ static_cast<char>(1u << (bit % 8)));
}

std::uint64_t Content::hash() const {
  std::uint64_t h = 14695981039346656037ull;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    for (const char c : std::string_view(chunks_[i]->bytes).substr(0, fill_of(i))) {
      h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
  }
  return h;
}

bool operator==(const Content& a, const Content& b) {
  if (a.size_ != b.size_) {
    return false;
  }
  for (std::size_t i = 0; i < a.chunks_.size(); ++i) {
    if (a.chunks_[i] != b.chunks_[i] && std::memcmp(a.chunks_[i]->bytes.data(), b.chunks_[i]->bytes.data(),
                                                    static_cast<std::size_t>(a.fill_of(i))) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace kiwi::sim
