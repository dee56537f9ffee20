#include "messages/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kiwi {

Decoded<void> FrameReader::fail(DecodeError error) {
  error_ = std::move(error);
  body_.reset();
  header_bytes_ = body_bytes_ = body_capacity_ = 0;
  return tl::unexpected(*error_);
}

void FrameReader::append_to_body(std::string_view part) {
  const std::size_t needed = body_bytes_ + part.size();
  if (needed > body_capacity_) {
    const std::size_t capacity =
        std::min<std::size_t>(std::max(needed, 2 * body_capacity_), header_.body_bytes);
    auto larger = std::make_shared_for_overwrite<char[]>(capacity);
    if (body_bytes_ > 0)
      std::memcpy(larger.get(), body_.get(), body_bytes_);
    body_ = std::move(larger);
    body_capacity_ = capacity;
  }
  std::memcpy(body_.get() + body_bytes_, part.data(), part.size());
  body_bytes_ = needed;
}

Decoded<void> FrameReader::feed(std::string_view bytes, std::vector<Frame>& frames) {
  if (error_)
    return tl::unexpected(*error_);
  while (!bytes.empty()) {
    if (header_bytes_ < kFrameHeaderBytes) {
      const auto part = bytes.substr(0, kFrameHeaderBytes - header_bytes_);
      std::memcpy(header_text_ + header_bytes_, part.data(), part.size());
      header_bytes_ += part.size();
      bytes.remove_prefix(part.size());
      if (header_bytes_ < kFrameHeaderBytes)
        break;
      auto header = decode_frame_header({header_text_, kFrameHeaderBytes});
      if (!header)
        return fail(std::move(header.error()));
      if (header->body_bytes > max_body_bytes_)
        return fail({"a frame of " + std::to_string(header->body_bytes) + " bytes, too long here"});
      header_ = *header;
      continue;
    }
    const auto part = bytes.substr(0, header_.body_bytes - body_bytes_);
    append_to_body(part);
    bytes.remove_prefix(part.size());
    if (body_bytes_ < header_.body_bytes)
      break;
    const std::string_view body(body_.get(), body_bytes_);
    auto frame = decode_frame_body(header_, Bytes(std::move(body_), body));
    header_bytes_ = body_bytes_ = body_capacity_ = 0;
    if (!frame)
      return fail(std::move(frame.error()));
    frames.push_back(std::move(*frame));
  }
  return {};
}

}  // namespace kiwi
