#pragma once

// Cuts the byte stream of one peer connection into frames (codec.hpp). Bounded: it holds at most one
// incomplete frame, and allocates for bytes that came, not for the length that a header claims.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/codec.hpp"
#include "messages/limits.hpp"

namespace kiwi {

class FrameReader {
 public:
  using Frame = std::variant<PeerMessage, Hello>;

  /// Frames with a body above `max_body_bytes` are errors. A connection that has not said Hello yet deserves
  /// kMaxHelloBytes only.
  explicit FrameReader(std::uint64_t max_body_bytes = kMaxFrameBytes) : max_body_bytes_(max_body_bytes) {}
  void set_max_body_bytes(std::uint64_t bytes) { max_body_bytes_ = bytes; }

  /// Takes the next piece of the stream, of any size, and appends the frames that it completes to `frames`.
  /// After an error (frames before it are in `frames`) the stream is lost: the same error comes for ever.
  Decoded<void> feed(std::string_view bytes, std::vector<Frame>& frames);
  /// Of the incomplete frame.
  std::size_t buffered_bytes() const { return header_bytes_ + body_bytes_; }

 private:
  Decoded<void> fail(DecodeError error);
  void append_to_body(std::string_view part);

  std::uint64_t max_body_bytes_;
  std::optional<DecodeError> error_;
  char header_text_[kFrameHeaderBytes] = {};
  std::size_t header_bytes_ = 0;  // that came of header_text_
  FrameHeader header_;            // valid once all came
  std::shared_ptr<char[]> body_;  // ends up exactly as large as the frame: entries keep windows into it
  std::size_t body_capacity_ = 0;
  std::size_t body_bytes_ = 0;  // that came
};

}  // namespace kiwi
