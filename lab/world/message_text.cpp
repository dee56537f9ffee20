#include "lab/world/message_text.hpp"

#include <variant>

#include "messages/frame_reader.hpp"

namespace kiwi::lab {

namespace {

using Fields = std::map<std::string, std::string>;

struct Describe {
  Fields& f;
  void operator()(const VoteRequest& m) {
    f["term"] = to_string(m.term);
    f["last-term"] = to_string(m.last_log_id.term);
    f["index"] = to_string(m.last_log_id.index);
    f["transfer"] = m.transfer ? "1" : "0";
  }
  void operator()(const VoteResponse& m) {
    f["term"] = to_string(m.term);
    f["granted"] = m.granted ? "1" : "0";
  }
  void operator()(const AppendRequest& m) {
    f["term"] = to_string(m.term);
    f["previous"] = to_string(m.previous.index);
    f["previous-term"] = to_string(m.previous.term);
    f["entries"] = std::to_string(m.entries.size());
    f["index"] = to_string(m.entries.empty() ? m.previous.index : m.entries.back().id.index);
    f["commit"] = to_string(m.commit);
    f["round"] = std::to_string(m.round);
  }
  void operator()(const AppendResponse& m) {
    f["term"] = to_string(m.term);
    f["success"] = m.success ? "1" : "0";
    f["index"] = to_string(m.success ? m.match : m.hint.index);
    f["match"] = to_string(m.match);
    f["round"] = std::to_string(m.round);
  }
  void operator()(const HeartbeatRequest& m) {
    f["term"] = to_string(m.term);
    f["commit"] = to_string(m.commit);
    f["round"] = std::to_string(m.round);
  }
  void operator()(const HeartbeatResponse& m) {
    f["term"] = to_string(m.term);
    f["round"] = std::to_string(m.round);
  }
  void operator()(const InstallSnapshotRequest& m) {
    f["term"] = to_string(m.term);
    f["index"] = to_string(m.manifest.meta.last_log_id.index);
  }
  void operator()(const InstallSnapshotResponse& m) {
    f["term"] = to_string(m.term);
    f["index"] = to_string(m.match.index);
    f["success"] = m.state == InstallState::refused ? "0" : "1";
  }
  void operator()(const SnapshotFetch& m) { f["offset"] = std::to_string(m.offset); }
  void operator()(const SnapshotPart& m) {
    f["offset"] = std::to_string(m.offset);
    f["bytes"] = std::to_string(m.bytes);
  }
  void operator()(const TimeoutNowRequest& m) { f["term"] = to_string(m.term); }
};

}  // namespace

std::map<std::string, std::string> message_fields(std::string_view frame) {
  Fields fields;
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  static_cast<void>(reader.feed(frame, frames));
  if (!frames.empty())
    if (auto* message = std::get_if<PeerMessage>(&frames.front()))
      std::visit(Describe{fields}, *message);
  return fields;
}

void show_message(Observer& observer, std::string_view kind, NodeId from, NodeId to, std::string_view frame) {
  if (kind != "append-reply" && kind != "heartbeat-reply" && kind != "vote" && kind != "vote-reply" &&
      kind != "pre-vote" && kind != "pre-vote-reply" && kind != "snapshot-reply")
    return;
  FrameReader reader;
  std::vector<FrameReader::Frame> frames;
  static_cast<void>(reader.feed(frame, frames));
  if (!frames.empty())
    if (const auto* message = std::get_if<PeerMessage>(&frames.front()))
      observer.leaving(from, to, *message);
}

}  // namespace kiwi::lab
