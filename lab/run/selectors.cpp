#include "lab/run/selectors.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kiwi::lab {
namespace {

using Kind = script::Selector::Kind;
using Nodes = std::vector<NodeId>;

Nodes without(const Nodes& from, const Nodes& what) {
  Nodes rest;
  std::set_difference(from.begin(), from.end(), what.begin(), what.end(), std::back_inserter(rest));
  return rest;
}

template <class Wanted>
Nodes ids_where(const std::vector<NodeView>& nodes, Wanted wanted) {
  Nodes ids;
  for (const NodeView& view : nodes) {
    if (wanted(view)) {
      ids.push_back(view.id);
    }
  }
  return ids;
}

NodeId candidate_of(const std::vector<NodeView>& nodes) {
  const NodeView* best = nullptr;
  for (const NodeView& view : nodes) {
    const bool stands = view.role == NodeRole::candidate || view.role == NodeRole::pre_candidate;
    if (view.up && stands && (best == nullptr || view.term > best->term)) {
      best = &view;
    }
  }
  return best == nullptr ? NodeId{} : best->id;
}

NodeId lagging_of(const std::vector<NodeView>& nodes) {
  const NodeView* last = nullptr;
  for (const NodeView& view : nodes) {
    if (view.up && (last == nullptr || view.applied < last->applied)) {
      last = &view;
    }
  }
  return last == nullptr ? NodeId{} : last->id;
}

Nodes one(NodeId id) { return id ? Nodes{id} : Nodes{}; }

}  // namespace

NodeId leader_of(const std::vector<NodeView>& nodes) {
  const NodeView* best = nullptr;
  for (const NodeView& view : nodes) {
    if (view.up && view.role == NodeRole::leader && (best == nullptr || view.term > best->term)) {
      best = &view;
    }
  }
  return best == nullptr ? NodeId{} : best->id;
}

std::vector<NodeId> voters_of(const std::vector<NodeView>& nodes) {
  const NodeView* best = view_of(nodes, leader_of(nodes));
  for (const NodeView& view : nodes) {
    if (best == nullptr || (best->role != NodeRole::leader && view.commit > best->commit)) {
      best = &view;
    }
  }
  Nodes voters = best == nullptr ? Nodes{} : best->voters;
  if (voters.empty()) {
    voters = ids_where(nodes, [](const NodeView&) { return true; });
  }
  std::sort(voters.begin(), voters.end());
  return voters;
}

const NodeView* view_of(const std::vector<NodeView>& nodes, NodeId id) {
  for (const NodeView& view : nodes) {
    if (view.id == id) {
      return &view;
    }
  }
  return nullptr;
}

std::vector<NodeId> LineSelectors::pick(std::vector<NodeId> from, std::uint64_t count) {
  Nodes picked;
  while (!from.empty() && picked.size() < count) {
    const auto at = static_cast<std::ptrdiff_t>(below(stream_.next(), from.size()));
    picked.push_back(from[static_cast<std::size_t>(at)]);
    from.erase(from.begin() + at);
  }
  std::sort(picked.begin(), picked.end());
  return picked;
}

std::vector<NodeId> LineSelectors::split(bool majority) {
  const Nodes voters = voters_of(nodes_);
  if (!majority_) {
    majority_ = pick(voters, voters.size() / 2 + 1);
  }
  return majority ? *majority_ : without(voters, *majority_);
}

std::vector<NodeId> LineSelectors::words(Kind kind) {
  switch (kind) {
    case Kind::leader:
      return one(leader_of(nodes_));
    case Kind::candidate:
      return one(candidate_of(nodes_));
    case Kind::lagging:
      return one(lagging_of(nodes_));
    case Kind::others:
      return without(ids_where(nodes_, [](const NodeView&) { return true; }), left_);
    case Kind::voters:
      return voters_of(nodes_);
    case Kind::followers:
      return without(voters_of(nodes_), one(leader_of(nodes_)));
    case Kind::learners:
      return ids_where(nodes_, [](const NodeView& view) { return view.role == NodeRole::learner; });
    case Kind::majority:
      return split(true);
    case Kind::minority:
      return split(false);
    case Kind::up:
      return ids_where(nodes_, [](const NodeView& view) { return view.up; });
    case Kind::down:
      return ids_where(nodes_, [](const NodeView& view) { return !view.up; });
    default:
      return ids_where(nodes_, [](const NodeView&) { return true; });
  }
}

tl::expected<std::vector<NodeId>, std::string> LineSelectors::resolve(const script::Selector& selector) {
  switch (selector.kind) {
    case Kind::node:
      return Nodes{selector.node};
    case Kind::name: {
      const auto found = kept_.nodes.find(selector.name);
      if (found == kept_.nodes.end()) {
        return tl::unexpected("no line before has kept nodes as '" + selector.name + "'");
      }
      return found->second;
    }
    case Kind::pick: {
      auto from = resolve(selector.parts.at(0));
      if (!from) {
        return from;
      }
      return pick(std::move(*from), selector.count);
    }
    case Kind::list: {
      Nodes all;
      for (const script::Selector& part : selector.parts) {
        const auto nodes = resolve(part);
        if (!nodes) {
          return nodes;
        }
        all.insert(all.end(), nodes->begin(), nodes->end());
      }
      std::sort(all.begin(), all.end());
      all.erase(std::unique(all.begin(), all.end()), all.end());
      return all;
    }
    case Kind::except: {
      const auto from = resolve(selector.parts.at(0));
      const auto what = from ? resolve(selector.parts.at(1)) : from;
      if (!what) {
        return what;
      }
      return without(*from, *what);
    }
    default:
      return words(selector.kind);
  }
}

script::Selector selector_of(const std::vector<NodeId>& nodes) {
  script::Selector list;
  list.kind = Kind::list;
  for (const NodeId id : nodes) {
    script::Selector node;
    node.kind = Kind::node;
    node.node = id;
    list.parts.push_back(std::move(node));
  }
  return list.parts.size() == 1 ? list.parts.front() : list;
}

std::string to_text(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId id : nodes) {
    text += (text.empty() ? "n" : ",n") + to_string(id);
  }
  return text.empty() ? "nobody" : text;
}

tl::expected<script::Selector, std::string> freeze(const script::Selector& selector, LineSelectors& line) {
  switch (selector.kind) {
    case Kind::name:
    case Kind::pick:
    case Kind::majority:
    case Kind::minority: {
      const auto nodes = line.resolve(selector);
      if (!nodes) {
        return tl::unexpected(nodes.error());
      }
      if (nodes->empty()) {
        return tl::unexpected(std::string("a selector gave no node"));
      }
      return selector_of(*nodes);
    }
    default:
      break;
  }
  script::Selector frozen = selector;
  for (script::Selector& part : frozen.parts) {
    auto each = freeze(part, line);
    if (!each) {
      return each;
    }
    part = std::move(*each);
  }
  return frozen;
}

tl::expected<script::Predicate, std::string> freeze(const script::Predicate& predicate, LineSelectors& line,
                                                    const Kept& kept) {
  script::Predicate frozen = predicate;
  for (script::Selector& selector : frozen.nodes) {
    auto each = freeze(selector, line);
    if (!each) {
      return tl::unexpected(each.error());
    }
    selector = std::move(*each);
  }
  auto& right = frozen.right.value;
  if (auto* selector = std::get_if<script::Selector>(&right)) {
    auto each = freeze(*selector, line);
    if (!each) {
      return tl::unexpected(each.error());
    }
    right = std::move(*each);
  } else if (auto* name = std::get_if<script::LetName>(&right)) {
    const auto found = kept.numbers.find(name->name);
    if (found == kept.numbers.end()) {
      return tl::unexpected("no line before has kept a number as '" + name->name + "'");
    }
    right = found->second;
  } else if (auto* inner = std::get_if<std::vector<script::Predicate>>(&right)) {
    for (script::Predicate& each : *inner) {
      auto done = freeze(each, line, kept);
      if (!done) {
        return done;
      }
      each = std::move(*done);
    }
  }
  return frozen;
}

tl::expected<script::Event, std::string> freeze(const script::Event& event, LineSelectors& line,
                                                const Kept& kept) {
  script::Event frozen = event;
  for (script::Selector* selector : {&frozen.on, &frozen.link.from, &frozen.link.to}) {
    auto each = freeze(*selector, line);
    if (!each) {
      return tl::unexpected(each.error());
    }
    *selector = std::move(*each);
  }
  for (script::Predicate& predicate : frozen.predicate) {
    auto each = freeze(predicate, line, kept);
    if (!each) {
      return tl::unexpected(each.error());
    }
    predicate = std::move(*each);
  }
  return frozen;
}

}  // namespace kiwi::lab
