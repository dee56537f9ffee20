#pragma once

// Cuts what a node sends to another into frames, without changing a byte, and says what each is.

#include <optional>
#include <string>
#include <string_view>

namespace kiwi::lab {

struct CutFrame {
  std::string bytes;
  std::string_view kind;  // static: "append", "vote-reply", "hello", ...; "bytes": not a frame
};

/// Bytes that are no frames pass as they come.
class FrameCutter {
 public:
  void feed(std::string_view bytes) { waiting_.append(bytes); }
  /// The next whole frame.
  std::optional<CutFrame> next();
  /// What is left of an incomplete frame.
  std::string rest();

 private:
  std::string waiting_;
  std::size_t begin_ = 0;
  bool lost_ = false;  // the stream is no stream of frames
};

}  // namespace kiwi::lab
