#include "messages/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kiwi {

Decoded<void> FrameReader::fail(DecodeError error) {
  error_ = std::move(error);
  body_ = {};
  header_bytes_ = 0;
  return tl::unexpected(*error_);
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
    }
    const auto part = bytes.substr(0, header_.body_bytes - body_.size());
    body_.append(part);
    bytes.remove_prefix(part.size());
    if (body_.size() < header_.body_bytes)
      break;
    auto frame = decode_frame_body(header_, Bytes(std::exchange(body_, {})));
    header_bytes_ = 0;
    if (!frame)
      return fail(std::move(frame.error()));
    frames.push_back(std::move(*frame));
  }
  return {};
}

}  // namespace kiwi
