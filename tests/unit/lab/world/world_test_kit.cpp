#include "world_test_kit.hpp"

#include <algorithm>
#include <sstream>

namespace kiwi::lab::test {

namespace {
std::vector<NodeId> nodes_of(const std::string& text) {
  std::vector<NodeId> nodes;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) nodes.emplace_back(std::stoull(name.substr(1)));
  return nodes;
}
bool is_nodes(const std::string& word) { return word.size() > 1 && word[0] == 'n' && std::isdigit(word[1]); }
}  // namespace

WorldOptions options(std::uint64_t seed, std::uint64_t nodes) {
  WorldOptions o;
  o.seed = seed;
  o.nodes = nodes;
  return o;
}

void Cluster::run(Time time) {
  const auto end = world.now() + time;
  while (world.now() < end) {
    auto done = world.run_until(end);
    if (!done) {
      ADD_FAILURE() << "invariant " << done.error().name << ": " << done.error().what;
      return;
    }
  }
}

bool Cluster::until(Time limit, const std::function<bool()>& holds) {
  const auto end = world.now() + limit;
  while (!holds()) {
    if (world.now() >= end)
      return false;
    if (auto done = world.run_until(end); !done) {
      ADD_FAILURE() << "invariant " << done.error().name << ": " << done.error().what;
      return false;
    }
  }
  return true;
}

NodeId Cluster::leader(Time limit) {
  NodeId found;
  until(limit, [&] {
    Term best;
    found = {};
    for (const auto& v : world.nodes()) {
      if (v.up && v.role == NodeRole::leader && v.term > best) {
        best = v.term;
        found = world.core(v.id)->leader_ready() ? v.id : NodeId{};
      }
    }
    return bool(found);
  });
  return found;
}

tl::expected<Applied, std::string> Cluster::try_apply(const std::string& line) {
  script::Action action;
  std::istringstream in(line);
  in >> action.verb;
  bool targets = true, to = false;
  for (std::string word; in >> word;) {
    if (word == "->" || word == "<->") {
      to = true;
      action.both_ways = word == "<->";
    } else if (targets && is_nodes(word)) {
      (to ? action.to : action.nodes) = nodes_of(word);
    } else if (auto eq = word.find('='); eq != std::string::npos) {
      action.options[word.substr(0, eq)] = word.substr(eq + 1);
    } else {
      targets = false;
      action.words.push_back(word);
    }
  }
  return world.apply(action);
}

Applied Cluster::apply(const std::string& line) {
  auto done = try_apply(line);
  if (!done)
    ADD_FAILURE() << line << ": " << done.error();
  return done.value_or(Applied{});
}

std::string Cluster::refused(const std::string& line) {
  auto done = try_apply(line);
  return done ? "done" : done.error();
}

Reply Cluster::ask(NodeId node, const std::vector<std::string>& command) {
  const auto c = next_++;
  world.connect(c, node);
  world.send(c, command);
  until(5s, [&] { return !ear.replies[c].empty() || ear.closed_why.contains(c); });
  world.disconnect(c);
  return ear.replies[c].empty() ? Reply::error("no reply " + ear.closed_why[c]) : ear.replies[c].front();
}

Reply Cluster::ask_leader(const std::vector<std::string>& command) {
  Reply reply = Reply::error("no leader");
  for (int i = 0; i < 100 && reply.is_error(); ++i) {
    if (auto node = leader())
      reply = ask(node, command);
    if (reply.is_error())
      run(100ms);
  }
  return reply;
}

bool Cluster::happened(const std::string& kind, const std::string& text) const {
  return std::any_of(ear.happenings.begin(), ear.happenings.end(), [&](const Happening& h) {
    return h.kind == kind &&
           (text.empty() || std::any_of(h.fields.begin(), h.fields.end(), [&](const auto& f) {
              return f.second.find(text) != std::string::npos;
            }));
  });
}

std::size_t Cluster::count(const std::string& kind) const {
  return static_cast<std::size_t>(std::count_if(ear.happenings.begin(), ear.happenings.end(),
                                                [&](const Happening& h) { return h.kind == kind; }));
}

}  // namespace kiwi::lab::test
