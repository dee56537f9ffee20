#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lab/script/parse.hpp"

namespace kiwi::lab::script {

/// The example of the design, which every part of the language must serve.
inline constexpr std::string_view kLeaderCut = R"(scenario  leader_cut_then_torn_tail
about     the leader keeps one follower, then loses power with a torn tail
cluster   nodes=5 seed=7 disk=ordered election=150ms..300ms tick=50ms heartbeat=50ms
load      L1 clients=8 keys=10 mix="get 50, set 40, incr 10" rate=200/s timeout=1s

at 0s     start L1
at 2s     let old = leader
          let keep = one follower
          cut old -> others except keep  # one way: old cannot send, but hears
          expect within 2s leader != old
at 4s     power-fail old torn
          after 500ms restart old
at 6s     heal all
          expect within 3s converged(all)

always    raft, storage, clients
finally   linearizable(L1), served(L1, during=cut, at-least=100), fired(cut, torn)
)";

inline Source source_of(std::string_view text) { return {"x.scenario", std::string(text)}; }

/// Fails the test with the errors when there are any.
inline Scenario parsed(std::string_view text, const ParseOptions& options = {}) {
  auto scenario = parse(source_of(text), options);
  EXPECT_TRUE(scenario.has_value()) << to_string(scenario.error()) << text;
  return scenario ? *scenario : Scenario{};
}

/// The errors as a person sees them; empty when there are none.
inline std::string errors_of(std::string_view text, const ParseOptions& options = {}) {
  const auto scenario = parse(source_of(text), options);
  return scenario ? "" : to_string(scenario.error());
}

}  // namespace kiwi::lab::script
