#include "lab/formats/newer_offer.hpp"

#include <variant>

#include "messages/codec.hpp"

namespace kiwi::lab {

std::optional<std::string> newer_offer(std::string_view frame) {
  if (frame.size() < kFrameHeaderBytes)
    return std::nullopt;
  const auto header = decode_frame_header(frame.substr(0, kFrameHeaderBytes));
  if (!header)
    return std::nullopt;
  auto decoded = decode_frame_body(*header, Bytes::copy_of(frame.substr(kFrameHeaderBytes)));
  auto* message = decoded ? std::get_if<PeerMessage>(&*decoded) : nullptr;
  auto* offer = message == nullptr ? nullptr : std::get_if<InstallSnapshotRequest>(message);
  if (offer == nullptr)
    return std::nullopt;
  ++offer->manifest.format;
  return encode_frame(*message);
}

}  // namespace kiwi::lab
