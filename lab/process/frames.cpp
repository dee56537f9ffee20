#include "lab/process/frames.hpp"

#include <array>
#include <utility>
#include <variant>

#include "messages/codec.hpp"
#include "messages/limits.hpp"

namespace kiwi::lab {
namespace {

/// By the type of a frame; votes and pre-votes share theirs.
constexpr std::array<std::string_view, 12> kKinds = {
    "hello",           "vote",     "vote-reply",     "append",      "append-reply",   "heartbeat",
    "heartbeat-reply", "snapshot", "snapshot-reply", "timeout-now", "snapshot-fetch", "snapshot-part"};
static_assert(kKinds.size() == std::variant_size_v<PeerMessage> + 1);

std::string_view kind_of(const FrameHeader& header, std::string_view frame) {
  const auto type = static_cast<unsigned char>(frame[kFrameHeaderBytes + 1]);
  if (type >= kKinds.size()) {
    return "bytes";
  }
  if (type == 1 || type == 2) {
    const auto decoded = decode_frame_body(header, Bytes::copy_of(frame.substr(kFrameHeaderBytes)));
    const auto* message = decoded ? std::get_if<PeerMessage>(&*decoded) : nullptr;
    if (message != nullptr) {
      if (const auto* vote = std::get_if<VoteRequest>(message); vote != nullptr && vote->pre_vote) {
        return "pre-vote";
      }
      if (const auto* vote = std::get_if<VoteResponse>(message); vote != nullptr && vote->pre_vote) {
        return "pre-vote-reply";
      }
    }
  }
  return kKinds[type];
}

}  // namespace

std::optional<CutFrame> FrameCutter::next() {
  const auto have = waiting_.size() - begin_;
  const std::string_view view = std::string_view(waiting_).substr(begin_);
  std::optional<CutFrame> result;
  if (lost_) {
    if (have > 0) {
      result = CutFrame{std::string(view), "bytes"};
    }
  } else if (have >= kFrameHeaderBytes) {
    const auto header = decode_frame_header(view.substr(0, kFrameHeaderBytes));
    if (!header) {
      lost_ = true;
      return next();
    }
    const auto size = kFrameHeaderBytes + header->body_bytes;
    if (have >= size) {
      const auto frame = view.substr(0, size);
      result = CutFrame{std::string(frame), kind_of(*header, frame)};
    }
  }
  if (result) {
    begin_ += result->bytes.size();
    // Not at each frame: what is left would be moved each time.
    if (begin_ == waiting_.size() || begin_ >= (1u << 16)) {
      waiting_.erase(0, begin_);
      begin_ = 0;
    }
  }
  return result;
}

std::string FrameCutter::rest() {
  std::string rest = waiting_.substr(begin_);
  waiting_.clear();
  begin_ = 0;
  return rest;
}

}  // namespace kiwi::lab
