#pragma once

// Fixed-width integers and counted texts for the small records of storage/. Readers never run past the end.

#include <cstdint>
#include <string>
#include <string_view>

namespace kiwi::storage {

template <class Integer>
void put_little(std::string& out, Integer x) {
  for (std::size_t i = 0; i < sizeof(x); ++i) {
    out.push_back(static_cast<char>((x >> (8 * i)) & 0xff));
  }
}

template <class Integer>
Integer load_little(const char* bytes) {
  Integer x = 0;
  for (std::size_t i = 0; i < sizeof(x); ++i) {
    x = static_cast<Integer>(x | (static_cast<Integer>(static_cast<unsigned char>(bytes[i])) << (8 * i)));
  }
  return x;
}

inline void put_text(std::string& out, std::string_view text) {
  put_little(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

/// Takes fields from the front. After the first field that is not there, ok() is false and all reads give
/// zero.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  Integer integer() {
    const auto piece = take(sizeof(Integer));
    return piece.size() == sizeof(Integer) ? load_little<Integer>(piece.data()) : Integer{0};
  }
  std::string_view text() { return take(integer<std::uint32_t>()); }
  bool ok() const { return ok_; }
  /// Everything was there and nothing is left over.
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t n) {
    if (!ok_ || rest_.size() < n) {
      ok_ = false;
      return {};
    }
    const auto piece = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return piece;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace kiwi::storage
