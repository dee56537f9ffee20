#pragma once

// Selectors to nodes: "leader", "one follower", "others except keep". lab/script/ast.hpp says what they mean.

#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "lab/chance.hpp"
#include "lab/run/backend.hpp"
#include "lab/script/ast.hpp"

namespace kiwi::lab {

/// What `let` has kept.
struct Kept {
  std::map<std::string, std::vector<NodeId>> nodes;
  std::map<std::string, std::uint64_t> numbers;
};

/// Resolves the selectors of one line. Draws come from the given stream, in the order of the line; `minority`
/// beside `majority` is the rest of it.
class LineSelectors {
 public:
  /// `nodes` in order of their ids, as Backend::nodes() gives them. All must outlive this.
  LineSelectors(const std::vector<NodeView>& nodes, const Kept& kept, ChanceStream& stream)
      : nodes_(nodes), kept_(kept), stream_(stream) {}

  /// Ascending, no duplicates; may be empty. The error: a name that no `let` gave.
  tl::expected<std::vector<NodeId>, std::string> resolve(const script::Selector& selector);
  /// What `others` are not; the left side of a link.
  void set_left(std::vector<NodeId> left) { left_ = std::move(left); }

 private:
  std::vector<NodeId> words(script::Selector::Kind kind);
  std::vector<NodeId> split(bool majority);
  std::vector<NodeId> pick(std::vector<NodeId> from, std::uint64_t count);

  const std::vector<NodeView>& nodes_;
  const Kept& kept_;
  ChanceStream& stream_;
  std::vector<NodeId> left_;
  std::optional<std::vector<NodeId>> majority_;
};

/// Of those that lead and run, the one of the highest term; nobody: NodeId{0}.
NodeId leader_of(const std::vector<NodeView>& nodes);
/// The voters as the leader knows them, or whoever has committed most; all nodes when nobody knows.
std::vector<NodeId> voters_of(const std::vector<NodeView>& nodes);
const NodeView* view_of(const std::vector<NodeView>& nodes, NodeId id);

/// The same selector, with names and chance replaced by the nodes they stand for now; words such as `leader`
/// stay as they are.
tl::expected<script::Selector, std::string> freeze(const script::Selector& selector, LineSelectors& line);
/// The same predicate with all its selectors frozen, and names of numbers replaced.
tl::expected<script::Predicate, std::string> freeze(const script::Predicate& predicate, LineSelectors& line,
                                                    const Kept& kept);
tl::expected<script::Event, std::string> freeze(const script::Event& event, LineSelectors& line,
                                                const Kept& kept);
/// "{n1, n3}" as a selector.
script::Selector selector_of(const std::vector<NodeId>& nodes);
/// "n1,n3".
std::string to_text(const std::vector<NodeId>& nodes);

}  // namespace kiwi::lab
