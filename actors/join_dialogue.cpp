#include "actors/join_dialogue.hpp"

#include <cstdio>
#include <utility>

#include "actors/peer_hello.hpp"
#include "messages/assert.hpp"

namespace kiwi {
namespace {

constexpr JoinDialogue::Clock kPause{250};  // between two rounds through the targets
constexpr int kMaxRedirects = 8;            // in a row

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

}  // namespace

JoinDialogue::JoinDialogue(JoinRequest request, Clock now)
    : request_(std::move(request)), end_(now + kJoinLimit) {
  KIWI_ASSERT(!request_.targets.empty(), "who joins has somebody to ask");
}

std::vector<std::string> JoinDialogue::question() const {
  const auto& self = request_.self;
  return {"RAFT.NODE",        "ADD",
          to_string(self.id), to_string(self.address),
          "INSTANCE",         hex(request_.instance.value),
          "CLUSTER",          hex(request_.cluster.value)};
}

JoinDialogue::Next JoinDialogue::answered(std::string_view line, Clock now) {
  if (line.starts_with("+"))
    return {true, {}, {}};
  if (line.starts_with("-MOVED ")) {
    auto there = parse_host_port(std::string(line.substr(line.rfind(' ') + 1)));
    if (there && ++redirects_ <= kMaxRedirects) {
      moved_ = *there;
      return {};
    }
    return failed("it sends this node around: " + for_the_log(std::string(line)), now);
  }
  // Refusals that pass, and one that cannot tell: asking again does no harm.
  for (const auto* code : {"-TRYAGAIN", "-CLUSTERDOWN", "-LOADING", "-NOCLUSTER", "-TIMEOUT", "-MISCONF"})
    if (line.starts_with(code))
      return failed(for_the_log(std::string(line.substr(1))), now);
  if (line.starts_with("-ERR "))
    return {true, to_string(target()) + " refuses: " + for_the_log(std::string(line.substr(5))), {}};
  return failed("its answer is no answer of a node", now);
}

JoinDialogue::Next JoinDialogue::failed(std::string_view why, Clock now) {
  const auto problem = to_string(target()) + ": " + std::string(why);
  redirects_ = 0;
  moved_.reset();
  at_ = (at_ + 1) % request_.targets.size();
  if (now >= end_)
    return {true, "no node of the cluster could add this one; last " + problem, {}};
  return {false, {}, at_ == 0 ? kPause : Clock{0}};
}

}  // namespace kiwi
