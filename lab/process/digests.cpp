#include "lab/process/digests.hpp"

namespace kiwi::lab {

void Digests::put(NodeId leader, Time now) {
  const auto round = ++round_;
  index_ = 0;
  pending_.clear();
  known_.clear();
  asked_at_.reset();
  const bool sent = leader && ask_(leader, {"RAFT.DIGEST"}, [this, round](const Reply& reply) {
                      if (round == round_ && reply.type == Reply::Type::integer && reply.integer > 0) {
                        index_ = static_cast<std::uint64_t>(reply.integer);
                      } else if (round == round_) {
                        asked_at_.reset();  // refused: try again
                      }
                    });
  if (sent) {
    asked_at_ = now;
  }
}

std::string Digests::of(NodeId node, NodeId leader, Time now) {
  const bool none = !asked_at_;
  const bool too_late = asked_at_ && now - *asked_at_ > (index_ == 0 ? kPatience : kFresh);
  if (none || too_late) {
    put(leader, now);
  }
  if (index_ == 0) {
    return "";
  }
  if (const auto found = known_.find(node); found != known_.end()) {
    return found->second;
  }
  if (const auto found = pending_.find(node); found != pending_.end() && now - found->second < kPatience) {
    return "";
  }
  const std::string index = std::to_string(index_);
  const bool sent =
      ask_(node, {"RAFT.DIGEST", "GET", index}, [this, node, index, round = round_](const Reply& reply) {
        if (round != round_) {
          return;
        }
        pending_.erase(node);
        // index, its value, digest, its value, ...: nil while it is not computed.
        for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
          if (reply.elements[i].text.view() == "digest") {
            known_[node] = index + ":" + reply.elements[i + 1].text.str();
          }
        }
      });
  if (sent) {
    pending_[node] = now;
  }
  return "";
}

}  // namespace kiwi::lab
