#include "lab/process/view_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace kiwi::lab {
namespace {

std::optional<std::string_view> field(std::string_view info, std::string_view name) {
  std::size_t begin = 0;
  while (begin < info.size()) {
    const auto end = std::min(info.find("\r\n", begin), info.size());
    const auto line = info.substr(begin, end - begin);
    if (line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name)) {
      return line.substr(name.size() + 1);
    }
    begin = end + 2;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

NodeRole role_of(std::string_view text) {
  if (text == "leader") {
    return NodeRole::leader;
  }
  if (text == "candidate") {
    return NodeRole::candidate;
  }
  if (text == "pre-candidate") {
    return NodeRole::pre_candidate;
  }
  if (text == "learner") {
    return NodeRole::learner;
  }
  return text == "follower" ? NodeRole::follower : NodeRole::unknown;
}

/// Ids with a blank between them.
std::vector<NodeId> ids(std::string_view text) {
  std::vector<NodeId> all;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    if (const auto id = number(text.substr(0, space))) {
      all.emplace_back(*id);
    }
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return all;
}

std::string name(NodeId id) { return "n" + to_string(id); }

}  // namespace

bool read_info(std::string_view info, NodeView& view) {
  if (field(info, "raft_out_of_service").value_or("0") != "0") {
    view.role = NodeRole::unknown;  // its data is closed: the rest is as it was said last
    return true;
  }
  const auto role = field(info, "raft_role");
  const auto read = [&](std::string_view key, auto& value) {
    const auto text = field(info, key);
    const auto read_value = text ? number(*text) : std::nullopt;
    value.value = read_value.value_or(0);
    return read_value.has_value();
  };
  if (!role || !read("raft_term", view.term) || !read("raft_leader", view.leader) ||
      !read("raft_commit_index", view.commit) || !read("raft_applied_index", view.applied) ||
      !read("raft_last_log_index", view.last) || !read("raft_log_purged_index", view.purged)) {
    return false;
  }
  view.role = role_of(*role);
  view.reopened = number(field(info, "raft_reopened").value_or("")).value_or(0);
  view.voters = ids(field(info, "raft_voters").value_or(""));
  view.outgoing = ids(field(info, "raft_outgoing_voters").value_or(""));
  view.learners = ids(field(info, "raft_learners").value_or(""));
  const auto self = std::find(view.learners.begin(), view.learners.end(), view.id);
  if (view.role == NodeRole::follower && self != view.learners.end()) {
    view.role = NodeRole::learner;
  }
  return true;
}

std::optional<BrokenInvariant> ViewChecks::look(const NodeView& view, Time now) {
  const auto broken = [now](int id, const char* rule, std::string what) {
    return BrokenInvariant{id, rule, std::move(what), now};
  };
  if (view.role == NodeRole::leader) {
    const auto [leader, first] = leaders_.emplace(view.term, view.id);
    if (leader->second != view.id) {
      return broken(1, "one leader per term",
                    name(leader->second) + " and " + name(view.id) + " led in term " + to_string(view.term));
    }
  }
  if (view.applied > view.commit || view.commit > view.last) {
    return broken(13, "applied <= commit <= last",
                  name(view.id) + " says applied " + to_string(view.applied) + ", commit " +
                      to_string(view.commit) + ", last " + to_string(view.last));
  }
  auto& last = last_[view.id];
  const NodeView before = last.life == 0 ? view : last;
  last = view;
  if (view.term < before.term) {
    return broken(
        12, "the term never goes back",
        name(view.id) + " was in term " + to_string(before.term) + ", then in " + to_string(view.term));
  }
  if (view.life == before.life && view.reopened == before.reopened &&
      (view.commit < before.commit || view.applied < before.applied)) {
    return broken(12, "commit and applied never go back within a life",
                  name(view.id) + ": commit " + to_string(before.commit) + " to " + to_string(view.commit) +
                      ", applied " + to_string(before.applied) + " to " + to_string(view.applied));
  }
  return std::nullopt;
}

}  // namespace kiwi::lab
