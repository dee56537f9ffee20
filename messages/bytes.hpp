#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace kiwi {

/// A read-only piece of a shared, immutable buffer. Copies share the buffer and cost a reference count;
/// a slice keeps the whole buffer alive. Safe to pass between threads.
class Bytes {
 public:
  Bytes() = default;
  /// Takes the string as a buffer of its own, without copying its bytes.
  explicit Bytes(std::string&& text) {
    auto owner = std::make_shared<const std::string>(std::move(text));
    view_ = *owner;
    owner_ = std::move(owner);
  }
  /// In one piece of memory with its reference count.
  static Bytes copy_of(std::string_view text) {
    if (text.empty())
      return {};
    auto memory = std::make_shared_for_overwrite<char[]>(text.size());
    std::copy(text.begin(), text.end(), memory.get());
    const std::string_view view(memory.get(), text.size());
    return Bytes(std::shared_ptr<const void>(std::move(memory), view.data()), view);
  }
  /// `view` must lie inside the memory that `owner` keeps alive.
  Bytes(std::shared_ptr<const void> owner, std::string_view view) : owner_(std::move(owner)), view_(view) {}

  std::string_view view() const { return view_; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const std::shared_ptr<const void>& owner() const { return owner_; }
  /// The same buffer, a smaller window. Requires `part` to lie inside view().
  Bytes window(std::string_view part) const { return Bytes(owner_, part); }
  std::string str() const { return std::string(view_); }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace kiwi
