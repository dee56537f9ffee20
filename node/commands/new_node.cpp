#include "node/commands/new_node.hpp"

#include <algorithm>
#include <random>

#include "messages/codec.hpp"

namespace kiwi {

InstanceId draw_instance() {
  std::random_device device;
  return InstanceId((std::uint64_t{device()} << 32 | device()) | 1);
}

LogWrite founding_entry(LogId last, Term newest_term, NodeId vote, std::uint64_t stamp_ms,
                        const Membership& membership) {
  Entry entry;
  entry.id = {std::max(newest_term, last.term) + 1, last.index + 1};
  entry.kind = EntryKind::membership;
  entry.stamp_ms = stamp_ms;
  entry.payload = Bytes(encode_membership(membership));
  LogWrite step;
  step.has_vote = true;
  step.vote = {entry.id.term, vote};
  step.entries.push_back(std::move(entry));
  return step;
}

}  // namespace kiwi
