#include "sample_run.hpp"

namespace kiwi::lab::report {
namespace {

using namespace std::chrono_literals;

std::uint64_t operate(RunRecord& record, Time from, Time to, std::vector<std::string> command,
                      history::Outcome outcome, Reply reply) {
  history::Operation operation;
  operation.client = 1;
  operation.connection = 1;
  operation.node = NodeId(1);
  operation.load = "L1";
  operation.invoked_at = from;
  operation.command = std::move(command);
  const std::uint64_t number = record.history.append(std::move(operation));
  record.history.complete(number, {to, outcome, std::move(reply), std::nullopt});
  return number;
}

ViewChange view(Time at, std::uint64_t id, bool up, NodeRole role, std::uint64_t term, std::uint64_t commit) {
  ViewChange change;
  change.at = at;
  change.view.id = NodeId(id);
  change.view.up = up;
  change.view.life = 1;
  change.view.role = role;
  change.view.term = Term(term);
  change.view.commit = change.view.applied = Index(commit);
  return change;
}

FaultWindow window(const char* kind, const char* text, Time from, std::optional<Time> until) {
  FaultWindow fault;
  fault.kind = kind;
  fault.text = text;
  fault.nodes = {NodeId(1)};
  fault.from = from;
  fault.until = until;
  return fault;
}

}  // namespace

RunRecord sample_run() {
  RunRecord record;
  record.scenario = "sample";
  record.backend = "sim";
  record.seed = 7;
  record.node_count = 3;
  record.script = "scenario  sample\ncluster   nodes=3\nat 0s     start L1\nat 2s     cut n1 -> n2\n";
  record.lowered = "scenario sample\n! 2.000000s  cut n1 -> n2\n";
  record.text_lines = {{14, 4}};
  record.verdict = {Outcome::fail, "clients:stale_read", "GET k1 gave an old value"};
  record.explanation = "the write of v2 had returned before";
  record.ended = 10s;
  record.views = {view(0s, 1, true, NodeRole::leader, 1, 1), view(0s, 2, true, NodeRole::follower, 1, 1),
                  view(0s, 3, true, NodeRole::follower, 1, 1), view(4s, 1, false, NodeRole::unknown, 0, 0),
                  view(5s, 2, true, NodeRole::leader, 2, 9)};
  record.windows = {window("cut", "! 2.000000s  cut n1 -> n2", 2s, 3s),
                    window("crash", "! 4.000000s  crash n1", 4s, std::nullopt)};
  record.windows[0].to = {NodeId(2)};
  record.steps.resize(1);
  record.steps[0].action.line = 14;
  record.steps[0].action.at = 2s;
  record.checks = {{"expect leader = n2", 14, Outcome::pass, "", 5s, 5s}};
  record.happenings = {{4s, NodeId(1), "crash", {}},
                       {6s, NodeId(2), "message", {{"kind", "append"}, {"to", "3"}, {"term", "2"}}}};
  record.marks = {{"vote.synced", 4}};
  record.figures = {{"events", 1234}};
  operate(record, 1s, 1001ms, {"SET", "k1", "v1"}, history::Outcome::done, Reply::ok());
  operate(record, 2s, 2001ms, {"SET", "k1", "v2"}, history::Outcome::done, Reply::ok());
  const auto stale =
      operate(record, 6s, 6001ms, {"GET", "k1"}, history::Outcome::done, Reply::bulk(std::string("v1")));
  operate(record, 6s, 8s, {"SET", "k2", "v3"}, history::Outcome::unknown, Reply::error("TIMEOUT"));
  operate(record, 7s, 7001ms, {"GET", "k2"}, history::Outcome::not_done, Reply::error("CLUSTERDOWN"));
  record.failing = {2, stale};
  record.failing_key = "k1";
  return record;
}

void add_operations(RunRecord& record, std::uint64_t count) {
  const Time begin = record.ended;
  for (std::uint64_t i = 0; i < count; ++i) {
    const Time at = begin + std::chrono::microseconds(i);
    const auto outcome = i % 10 == 3   ? history::Outcome::unknown
                         : i % 10 == 7 ? history::Outcome::not_done
                                       : history::Outcome::done;
    operate(record, at, at + std::chrono::microseconds(200 + i % 977), {"SET", "k1", "v"}, outcome,
            Reply::ok());
  }
  record.ended = begin + std::chrono::microseconds(count + 1000);
}

}  // namespace kiwi::lab::report
