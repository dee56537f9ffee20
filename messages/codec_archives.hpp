#pragma once

// The two cereal archives of codec.cpp, which alone includes this: how numbers, texts and lists become bytes
// (codec.hpp draws it), and a reader that believes no length.

#include <algorithm>
#include <bit>
#include <cereal/cereal.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "messages/assert.hpp"
#include "messages/bytes.hpp"
#include "messages/codec.hpp"

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

namespace kiwi::codec {

constexpr std::uint8_t kFormatVersion = 1;
/// Of records and frames that hold a membership with more than its first four fields. Without those it is
/// written as version 1, as before there were more.
constexpr std::uint8_t kWideMembershipVersion = 2;
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);
constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);

template <class T>
concept Message = requires(T& x) {
  x.fields();
  T::name;
};

/// The least that a value takes on the wire: a container of n elements needs n times that.
template <class T>
constexpr std::size_t wire_minimum() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return sizeof(T);
  } else if constexpr (Message<T>) {
    return []<class... Field>(std::type_identity<std::tuple<Field&...>>) {
      return (wire_minimum<Field>() + ... + std::size_t{0});
    }(std::type_identity<decltype(std::declval<T&>().fields())>{});
  } else {
    return kLengthBytes;
  }
}

// --- Writing

class Output : public cereal::OutputArchive<Output, cereal::AllowEmptyClassElision> {
 public:
  explicit Output(std::string& out) : OutputArchive(this), out_(out) {}

  void write(const void* from, std::size_t size) { out_.append(static_cast<const char*>(from), size); }
  template <class T>
  void write_plain(T x) {
    write(&x, sizeof x);
  }
  void write_length(std::size_t size) {
    KIWI_ASSERT(size <= std::numeric_limits<std::uint32_t>::max(), "a length that its format cannot hold");
    write_plain(static_cast<std::uint32_t>(size));
  }
  void write_text(std::string_view text) {
    write_length(text.size());
    write(text.data(), text.size());
  }
  void write_version(std::uint8_t version) {
    write_plain(version);
    version_ = version;
  }
  std::uint8_t version() const { return version_; }
  void enter() {
    ++depth_;
    KIWI_ASSERT(depth_ <= kMaxNesting, "a reply nested too deeply to be decoded again");
  }
  void leave() { --depth_; }

 private:
  std::string& out_;
  std::size_t depth_ = 0;
  std::uint8_t version_ = kFormatVersion;
};

template <class T>
requires std::is_arithmetic_v<T>
void save(Output& archive, const T& x) { archive.write_plain(x); }
inline void save(Output& archive, const std::string& x) { archive.write_text(x); }
inline void save(Output& archive, const Bytes& x) { archive.write_text(x.view()); }
template <class T>
void save(Output& archive, const std::vector<T>& x) {
  archive.write_length(x.size());
  archive.enter();
  for (const auto& element : x) archive(element);
  archive.leave();
}

// --- Reading

/// Reads what Output wrote and believes no length: what is claimed is compared with what is there before
/// anything is allocated for it. Throws cereal::Exception on bytes that Output never writes.
class Input : public cereal::InputArchive<Input, cereal::AllowEmptyClassElision> {
 public:
  explicit Input(const Bytes& source) : InputArchive(this), source_(source), rest_(source.view()) {}

  std::string_view take(std::size_t size) {
    if (size > rest_.size())
      throw cereal::Exception("too short");
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T take_plain() {
    T x;
    std::memcpy(&x, take(sizeof x).data(), sizeof x);
    return x;
  }
  std::size_t take_length(std::size_t element_bytes) {
    const std::size_t count = take_plain<std::uint32_t>();
    if (count > rest_.size() / element_bytes)
      throw cereal::Exception("impossible length");
    return count;
  }
  /// The length that comes next, not checked and not taken; 0 when there is none.
  std::size_t peek_length() const {
    std::uint32_t length = 0;
    if (rest_.size() >= sizeof length)
      std::memcpy(&length, rest_.data(), sizeof length);
    return length;
  }
  std::string_view take_text() { return take(take_length(1)); }
  Bytes take_window() { return source_.window(take_text()); }
  Bytes take_rest(std::size_t keep) {
    if (keep > rest_.size())
      throw cereal::Exception("too short");
    return source_.window(take(rest_.size() - keep));
  }
  void expect_version(std::uint8_t newest = kFormatVersion) {
    version_ = take_plain<std::uint8_t>();
    if (version_ < kFormatVersion || version_ > newest)
      throw cereal::Exception("unknown format version " + std::to_string(version_));
  }
  std::uint8_t version() const { return version_; }
  void expect_end() const {
    if (!rest_.empty())
      throw cereal::Exception("bytes left over");
  }
  void enter() {
    if (++depth_ > kMaxNesting)
      throw cereal::Exception("nested too deeply");
  }
  void leave() { --depth_; }

 private:
  const Bytes& source_;
  std::string_view rest_;
  std::size_t depth_ = 0;
  std::uint8_t version_ = kFormatVersion;
};

template <class T>
requires std::is_arithmetic_v<T>
void load(Input& archive, T& x) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = archive.take_plain<std::uint8_t>();
    if (byte > 1)
      throw cereal::Exception("not a boolean");
    x = byte == 1;
  } else {
    x = archive.take_plain<T>();
  }
}
inline void load(Input& archive, std::string& x) { x = archive.take_text(); }
inline void load(Input& archive, Bytes& x) { x = archive.take_window(); }
template <class T>
void load(Input& archive, std::vector<T>& x) {
  const std::size_t count = archive.take_length(wire_minimum<T>());
  // An element may be larger in memory than on the wire, so only a few get their room ahead of their bytes.
  x.clear();
  x.reserve(std::min<std::size_t>(count, 8));
  archive.enter();
  for (std::size_t i = 0; i < count; ++i) archive(x.emplace_back());
  archive.leave();
}

}  // namespace kiwi::codec
