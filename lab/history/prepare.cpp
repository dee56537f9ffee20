#include "lab/history/prepare.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "lab/history/redis_commands.hpp"

namespace kiwi::lab::history {
namespace {

std::vector<Span> place(const std::vector<Operation>& operations) {
  struct Event {
    Time at;
    std::uint64_t order;
    bool returns;
    std::uint32_t operation;
  };
  const bool ordered = std::all_of(operations.begin(), operations.end(),
                                   [](const Operation& o) { return o.invoked_order != 0; });
  std::vector<Event> events;
  events.reserve(2 * operations.size());
  for (std::uint32_t i = 0; i < operations.size(); ++i) {
    const auto& o = operations[i];
    events.push_back({o.invoked_at, ordered ? o.invoked_order : 0, false, i});
    if (o.outcome == Outcome::done)
      events.push_back({*o.returned_at, ordered ? o.returned_order : 0, true, i});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.at, a.order, a.returns, a.operation) < std::tie(b.at, b.order, b.returns, b.operation);
  });
  std::vector<Span> spans(operations.size());
  Place next = 0;
  for (const auto& event : events)
    (event.returns ? spans[event.operation].ret : spans[event.operation].call) = next++;
  return spans;
}

Finding answered_twice(const Operation& first, const Operation& second) {
  Finding finding;
  finding.kind = Kind::duplicate_effect;
  finding.checker = "sessions";
  finding.key = second.command.size() > 1 ? second.command[1] : "";
  finding.what = "two attempts of one operation were answered differently: it was done twice";
  finding.operations = {first, second};
  finding.explanation = finding.what + "\n  " + describe(first) + "\n  " + describe(second) + "\n";
  return finding;
}

class Preparation {
 public:
  Preparation(const History& history, const Options& options)
      : operations_(history.operations()), options_(options) {}

  Prepared run() {
    prepared_.spans = place(operations_);
    prepared_.merged_away.resize(operations_.size());
    merge_attempts();
    parsed_.reserve(operations_.size());
    for (const auto& operation : operations_) parsed_.push_back(parse_command(operation));
    choose_keys();
    for (std::uint32_t i = 0; i < operations_.size(); ++i)
      if (!prepared_.merged_away[i])
        distribute(i);
    finish();
    return std::move(prepared_);
  }

 private:
  /// Several attempts become the one that was answered, called when the first one was.
  void merge_attempts() {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> attempts;
    for (std::uint32_t i = 0; i < operations_.size(); ++i) {
      const auto& operation = operations_[i];
      if (!operation.session || operation.outcome == Outcome::not_done)
        continue;
      const auto [at, first] = attempts.try_emplace({*operation.session, *operation.serial}, i);
      if (first)
        continue;
      auto keep = at->second;
      auto drop = i;
      if (operations_[keep].outcome == Outcome::done && operation.outcome == Outcome::done &&
          operations_[keep].reply != operation.reply)
        prepared_.findings.push_back(answered_twice(operations_[keep], operation));
      const auto returns = [&](std::uint32_t n) { return prepared_.spans[n].ret; };
      if (returns(drop) < returns(keep))
        std::swap(keep, drop);
      prepared_.spans[keep].call = std::min(prepared_.spans[keep].call, prepared_.spans[drop].call);
      prepared_.merged_away[drop] = true;
      ++prepared_.statistics.merged_attempts;
      at->second = keep;
    }
  }

  void choose_keys() {
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const bool wanted = options_.load.empty() || operations_[i].load == options_.load;
      if (!wanted)
        continue;
      for (const auto& part : parsed_[i].parts) prepared_.keys.try_emplace(std::string(part.key));
      if (parsed_[i].kind == CommandKind::not_understood && operations_[i].command.size() > 1 &&
          operations_[i].outcome != Outcome::not_done)
        prepared_.keys.try_emplace(operations_[i].command[1]);
    }
  }

  void distribute(std::uint32_t i) {
    const auto& operation = operations_[i];
    count(operation);
    switch (parsed_[i].kind) {
      case CommandKind::no_effect:
        return;
      case CommandKind::not_understood:
        if (operation.outcome != Outcome::not_done)
          give_up_keys_of(operation);
        return;
      case CommandKind::removes_all: {
        KeyPart part;
        part.action = Action::remove;
        part.doubtful = operation.reply && operation.reply->is_error();
        for (auto& [key, history] : prepared_.keys) add(i, part, history);
        return;
      }
      case CommandKind::keyed:
        for (const auto& part : parsed_[i].parts)
          if (const auto at = prepared_.keys.find(std::string(part.key)); at != prepared_.keys.end())
            add(i, part, at->second);
    }
  }

  void count(const Operation& operation) {
    if (!options_.load.empty() && operation.load != options_.load)
      return;
    auto& s = prepared_.statistics;
    ++s.operations;
    ++(operation.outcome == Outcome::done       ? s.done
       : operation.outcome == Outcome::not_done ? s.not_done
                                                : s.unknown);
    clients_.insert(operation.client);
  }

  /// A command that may do anything to the keys that it names.
  void give_up_keys_of(const Operation& operation) {
    bool any = false;
    for (std::size_t w = 1; w < operation.command.size(); ++w)
      if (const auto at = prepared_.keys.find(operation.command[w]); at != prepared_.keys.end()) {
        at->second.not_understood = true;
        any = true;
      }
    if (any || options_.load.empty())
      commands_.insert(operation.command.empty() ? "" : operation.command[0]);
    if (any || options_.load.empty())
      ++prepared_.statistics.operations_not_checked;
  }

  void add(std::uint32_t i, const KeyPart& part, KeyHistory& key) {
    KeyOperation o;
    o.action = part.action;
    o.seen = part.seen;
    o.delta = part.delta;
    o.seen_number = part.seen_number;
    if (part.action == Action::set || part.action == Action::set_if_absent ||
        part.action == Action::set_if_there || part.action == Action::append)
      o.value = key.values.intern(part.value);
    if (part.seen == Seen::value && !part.seen_absent)
      o.seen_value = key.values.intern(part.seen_value);
    o.call = prepared_.spans[i].call;
    o.ret = prepared_.spans[i].ret;
    o.origin = i;
    if (operations_[i].outcome == Outcome::not_done) {
      if (o.action != Action::read)
        key.refused.push_back(forgotten(o));
      return;
    }
    if (part.may_expire) {
      KeyOperation vanish = forgotten(o);
      vanish.action = Action::remove;
      vanish.value = kAbsent;
      key.operations.push_back(vanish);
      key.expires = true;
    }
    if (o.unknown() || part.doubtful)
      o = forgotten(o);
    if (o.unknown() && o.action == Action::read) {
      ++prepared_.statistics.dropped_unknown_reads;
      return;
    }
    if (o.action == Action::read && o.seen == Seen::nothing)
      return;
    key.operations.push_back(o);
  }

  void finish() {
    auto& s = prepared_.statistics;
    s.clients = clients_.size();
    s.keys = prepared_.keys.size();
    s.commands_not_understood.assign(commands_.begin(), commands_.end());
    std::vector<bool> overlaps(operations_.size());
    for (auto& [name, key] : prepared_.keys) {
      key.key = name;
      std::stable_sort(key.operations.begin(), key.operations.end(),
                       [](const KeyOperation& a, const KeyOperation& b) { return a.call < b.call; });
      mark_overlaps(key, overlaps);
    }
    s.overlapping = static_cast<std::uint64_t>(std::count(overlaps.begin(), overlaps.end(), true));
  }

  static void mark_overlaps(const KeyHistory& key, std::vector<bool>& overlaps) {
    const KeyOperation* open = nullptr;  // the one that returns last so far
    for (const auto& o : key.operations) {
      if (o.unknown())
        continue;
      if (open != nullptr && open->ret > o.call && open->origin != o.origin)
        overlaps[o.origin] = overlaps[open->origin] = true;
      if (open == nullptr || o.ret > open->ret)
        open = &o;
    }
  }

  const std::vector<Operation>& operations_;
  const Options& options_;
  std::vector<ParsedCommand> parsed_;
  std::set<std::uint64_t> clients_;
  std::set<std::string> commands_;
  Prepared prepared_;
};

}  // namespace

Prepared prepare(const History& history, const Options& options) {
  return Preparation(history, options).run();
}

}  // namespace kiwi::lab::history
