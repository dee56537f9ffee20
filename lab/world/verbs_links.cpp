// Verbs on links. Clients' connections are not links.

#include <algorithm>
#include <utility>

#include "lab/script/values.hpp"
#include "lab/world/world_impl.hpp"

namespace kiwi::lab {

namespace {

/// The n-th positional word, or the fallback of the table of verbs.
std::string word(const script::Action& action, std::size_t n, std::string fallback = {}) {
  return n < action.words.size() ? action.words[n] : std::move(fallback);
}
std::string option(const script::Action& action, const std::string& key, std::string fallback) {
  auto found = action.options.find(key);
  return found == action.options.end() ? std::move(fallback) : found->second;
}

tl::unexpected<std::string> wrong(const script::Action& action) {
  return tl::unexpected("'" + action.verb + "' lacks an argument or has one it does not understand");
}

}  // namespace

tl::expected<bool, std::string> World::Impl::link_verb(Link& link, const script::Action& action,
                                                       Details& details) {
  auto& f = link.faults;
  const auto before = f;
  const auto& verb = action.verb;
  const auto kind = option(action, "kind", "any");
  const auto count = script::read_number(option(action, "count", "1"));
  if (!count)
    return wrong(action);
  auto add = [&](std::size_t n) { details[link.name] = std::to_string(n); };
  if (verb == "cut") {
    f.cut = true;
  } else if (verb == "clog") {
    f.clogged = true;
  } else if (verb == "heal") {
    f = {};
    const auto parked = net_.let_go(link) + net_.release(link, "any", ~std::uint64_t{0});
    return f != before || parked > 0;
  } else if (verb == "drop" || verb == "duplicate" || verb == "reorder" || verb == "corrupt") {
    const auto p = script::read_probability(word(action, 0));
    if (!p)
      return wrong(action);
    (verb == "drop"        ? f.drop
     : verb == "duplicate" ? f.duplicate
     : verb == "reorder"   ? f.reorder
                           : f.corrupt) = Odds{*p, kind};
  } else if (verb == "delay") {
    const auto range = script::read_duration_range(word(action, 0));
    if (!range)
      return wrong(action);
    f.delay = {range->first, range->second};
    f.delay_kind = kind;
  } else if (verb == "jitter") {
    const auto most = script::read_duration(word(action, 0));
    if (!most)
      return wrong(action);
    f.jitter = {Time{0}, *most};
  } else if (verb == "bandwidth") {
    const auto rate = script::read_byte_rate(word(action, 0));
    if (!rate)
      return wrong(action);
    f.bandwidth = *rate;
  } else if (verb == "slice") {
    const auto bytes = script::read_number(option(action, "bytes", "1"));
    if (!bytes || *bytes == 0)
      return wrong(action);
    f.slice = static_cast<std::uint32_t>(std::min<std::uint64_t>(*bytes, 1u << 16));
  } else if (verb == "newer-offers") {
    f.newer_offers = true;
  } else if (verb == "reset") {
    const auto n = net_.reset(link);
    add(n);
    return n > 0;
  } else if (verb == "half-open") {
    const auto n = net_.half_open(link);
    add(n);
    return n > 0;
  } else if (verb == "hold") {
    f.hold[word(action, 0, "any")] += *count;
  } else if (verb == "release") {
    const auto what = word(action, 0, "any");
    if (what == "any")
      f.hold.clear();
    else
      f.hold.erase(what);
    const auto n = net_.release(link, what, ~std::uint64_t{0});
    add(n);
    return n > 0 || f != before;
  } else if (verb == "drop-next") {
    f.drop_next[word(action, 0, "any")] += *count;
  } else if (verb == "duplicate-next") {
    f.duplicate_next[word(action, 0, "any")] += *count;
  } else if (verb == "replay-old") {
    const auto n = net_.replay(link, word(action, 0, "any"), *count);
    add(n);
    return n > 0;
  } else {
    return tl::unexpected("the simulated world has no verb '" + verb + "' for links");
  }
  return f != before;
}

tl::expected<Applied, std::string> World::Impl::on_links(const script::Action& action) {
  Applied applied;
  applied.effective = false;
  std::vector<std::pair<NodeId, NodeId>> pairs;
  auto add = [&](NodeId from, NodeId to) {
    if (from != to && std::find(pairs.begin(), pairs.end(), std::pair(from, to)) == pairs.end())
      pairs.emplace_back(from, to);
  };
  if (action.to.empty()) {  // all links from and to these
    for (auto n : action.nodes) {
      for (const auto& other : nodes_) {
        add(n, other->id());
        add(other->id(), n);
      }
    }
  }
  for (auto from : action.nodes) {
    for (auto to : action.to) {
      add(from, to);
      if (action.both_ways)
        add(to, from);
    }
  }
  for (auto [from, to] : pairs) {
    if (node(from) == nullptr || node(to) == nullptr)
      return tl::unexpected("there is no node " + to_string(node(from) == nullptr ? from : to));
    auto done = link_verb(net_.link(from, to), action, applied.details);
    if (!done)
      return tl::unexpected(done.error());
    applied.effective |= *done;
  }
  return applied;
}

}  // namespace kiwi::lab
