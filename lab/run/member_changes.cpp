#include "lab/run/member_changes.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "lab/run/selectors.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

using Nodes = std::vector<NodeId>;
using Words = std::vector<std::string>;

/// Clients that ask: commands of one go one after the other, so that some are under way at a time.
constexpr std::uint64_t kClients = 3;
constexpr std::size_t kLeastVoters = 3;

enum class Kind { add, join, remove, replace, cancel, transfer };
constexpr std::pair<Kind, std::uint64_t> kKinds[] = {{Kind::add, 5},    {Kind::join, 5},
                                                     {Kind::remove, 5}, {Kind::replace, 5},
                                                     {Kind::cancel, 2}, {Kind::transfer, 5}};

Kind draw_kind(ChanceStream& chance) {
  std::uint64_t total = 0;
  for (const auto& [kind, weight] : kKinds) {
    total += weight;
  }
  std::uint64_t point = below(chance.next(), total);
  for (const auto& [kind, weight] : kKinds) {
    if (point < weight) {
      return kind;
    }
    point -= weight;
  }
  return Kind::transfer;
}

NodeId one_of(ChanceStream& chance, const Nodes& nodes) {
  return nodes.empty() ? NodeId{} : nodes[below(chance.next(), nodes.size())];
}

/// Those that belong to no cluster, and learners, who can be voters yet.
Nodes newcomers(const std::vector<NodeView>& nodes, const Nodes& learners) {
  Nodes found = learners;
  for (const NodeView& view : nodes) {
    if (view.up && view.voters.empty()) {
      found.push_back(view.id);
    }
  }
  return found;
}

std::string redis_address(const Backend& backend, NodeId node) {
  const std::string address = backend.address_of(node);
  return address.substr(0, address.find('@'));
}

bool begins_with(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

bool is_about_members(const Words& command) {
  return !command.empty() && (command[0] == "RAFT.NODE" || command[0] == "RAFT.TRANSFER_LEADER" ||
                              (command[0] == "RAFT.CLUSTER" && command.size() > 1 && command[1] == "JOIN"));
}

/// The word behind `name`, as a number.
std::optional<std::uint64_t> option(const Words& command, std::string_view name) {
  const auto found = std::find(command.begin(), command.end(), name);
  return found == command.end() || std::next(found) == command.end() ? std::nullopt
                                                                     : script::read_number(*std::next(found));
}

std::string text_of(const history::Operation& operation) { return history::describe(operation); }

}  // namespace

std::optional<script::Action> draw_member_change(ChanceStream& chance, const Backend& backend,
                                                 const std::vector<NodeView>& nodes, Index newest) {
  const NodeId leader = leader_of(nodes);
  const NodeView* leads = view_of(nodes, leader);
  if (leads == nullptr || leads->voters.empty()) {
    return std::nullopt;
  }
  const Nodes& voters = leads->voters;
  const Kind kind = draw_kind(chance);
  const NodeId newcomer = one_of(chance, newcomers(nodes, leads->learners));
  // Half of the time the leader itself is to go.
  const NodeId any_voter = one_of(chance, voters);
  const NodeId leaving = happens(chance.next(), 0.4) ? leader : any_voter;
  const bool conditional = happens(chance.next(), 0.3);
  const bool stale = happens(chance.next(), 0.5);
  const auto who = "members" + std::to_string(1 + below(chance.next(), kClients));
  script::Action action;
  action.verb = "do";
  action.options = {{"as", who}, {"reply", "whatever"}};
  // Not always who leads: the others say who does.
  action.nodes = {happens(chance.next(), 0.85) ? leader : any_voter};
  switch (kind) {
    case Kind::add:
    case Kind::replace:
      if (!newcomer) {
        return std::nullopt;
      }
      action.words = {"RAFT.NODE", kind == Kind::add ? "ADD" : "REPLACE"};
      if (kind == Kind::replace) {
        action.words.push_back(to_string(leaving));
      }
      action.words.push_back(to_string(newcomer));
      action.words.push_back(backend.address_of(newcomer));
      if (kind == Kind::add && happens(chance.next(), 0.2)) {
        action.words.emplace_back("LEARNER");
      }
      break;
    case Kind::join:
      if (!newcomer) {
        return std::nullopt;
      }
      action.nodes = {newcomer};
      action.words = {"RAFT.CLUSTER", "JOIN", redis_address(backend, any_voter),
                      redis_address(backend, leader)};
      return action;
    case Kind::remove: {
      const NodeId learner = happens(chance.next(), 0.3) ? one_of(chance, leads->learners) : NodeId{};
      if (!learner && voters.size() <= kLeastVoters) {
        return std::nullopt;
      }
      action.words = {"RAFT.NODE", "REMOVE", to_string(learner ? learner : leaving)};
      break;
    }
    case Kind::cancel:
      action.words = {"RAFT.NODE", "CANCEL"};
      return action;
    case Kind::transfer:
      action.words = {"RAFT.TRANSFER_LEADER"};
      if (happens(chance.next(), 0.7)) {
        action.words.push_back(to_string(any_voter));
      }
      return action;
  }
  if (conditional) {
    const std::uint64_t number = stale ? below(chance.next(), newest.value + 1) : newest.value;
    action.words.emplace_back("IF");
    action.words.push_back(std::to_string(number));
  }
  return action;
}

std::optional<Index> configuration_of(const Reply& reply) {
  constexpr std::string_view kBegin = "OK configuration ";
  const std::string_view text = reply.text.view();
  if (reply.type != Reply::Type::simple || !text.starts_with(kBegin)) {
    return std::nullopt;
  }
  const auto digits = text.substr(kBegin.size(), text.find(':') - kBegin.size());
  const auto number = script::read_number(digits);
  return number ? std::optional(Index(*number)) : std::nullopt;
}

std::string wrong_member_replies(const history::History& history) {
  std::map<Index, const history::Operation*> changes;
  for (const history::Operation& operation : history.operations()) {
    if (!is_about_members(operation.command) || !operation.reply) {
      continue;
    }
    const std::string_view text = operation.reply->text.view();
    const bool proper = operation.reply->is_error()
                            ? begins_with(text, {"ERR ", "TRYAGAIN ", "MOVED ", "CLUSTERDOWN ", "NOCLUSTER ",
                                                 "LOADING ", "MISCONF ", "TIMEOUT "})
                            : operation.reply->type == Reply::Type::simple && text.starts_with("OK");
    if (!proper) {
      return "no such reply is known: " + text_of(operation);
    }
    const auto number = configuration_of(*operation.reply);
    if (!number) {
      continue;
    }
    const auto [same, is_new] = changes.try_emplace(*number, &operation);
    if (!is_new) {
      return "one configuration for two changes: " + text_of(*same->second) + " and " + text_of(operation);
    }
  }
  // By number: what had returned before another was asked for has the lower one.
  const history::Operation* before = nullptr;
  for (auto at = changes.begin(); at != changes.end(); before = at->second, ++at) {
    const history::Operation& operation = *at->second;
    if (before != nullptr && operation.returned_order != 0 &&
        operation.returned_order < before->invoked_order) {
      return "a later change has an earlier number: " + text_of(*before) + " and " + text_of(operation);
    }
    const auto condition = option(operation.command, "IF");
    if (condition &&
        (*condition >= at->first.value || (before != nullptr && std::prev(at)->first.value > *condition))) {
      return "its condition did not hold: " + text_of(operation) +
             (before != nullptr ? " after " + text_of(*before) : "");
    }
  }
  return {};
}

}  // namespace kiwi::lab
