#include "lab/run/recorder.hpp"

#include <utility>

#include "messages/assert.hpp"

namespace kiwi::lab {

Recorder::OperationId Recorder::invoke(const std::string& load, std::uint64_t client, ConnectionId connection,
                                       NodeId node, const std::vector<std::string>& command, Time now) {
  history::Operation operation;
  operation.client = client;
  operation.connection = connection;
  operation.node = node;
  operation.load = load;
  operation.invoked_at = now;
  operation.command = command;
  ++loads_[load].issued;
  ++total_.issued;
  return history_.append(std::move(operation));
}

void Recorder::end(OperationId id, history::Outcome outcome, const std::optional<Reply>& reply, Time now) {
  history_.complete(id, {now, outcome, reply, std::nullopt});
  const history::Operation* operation = history_.find(id);
  KIWI_ASSERT(operation != nullptr, "an operation that was recorded is found");
  for (LoadFigures* figures : {&loads_[operation->load], &total_}) {
    switch (outcome) {
      case history::Outcome::done:
        ++figures->done;
        figures->done_at.push_back(now);
        break;
      case history::Outcome::not_done:
        ++figures->not_done;
        break;
      case history::Outcome::unknown:
        ++figures->unknown;
        break;
    }
  }
}

void Recorder::done(OperationId id, const Reply& reply, Time now) {
  end(id, history::Outcome::done, reply, now);
}

void Recorder::refused(OperationId id, const Reply& reply, Time now) {
  end(id, history::Outcome::not_done, reply, now);
}

void Recorder::never_sent(OperationId id, Time now) {
  end(id, history::Outcome::not_done, std::nullopt, now);
}

void Recorder::unknown(OperationId id, const std::optional<Reply>& reply, Time now) {
  end(id, history::Outcome::unknown, reply, now);
}

void Recorder::surplus(ConnectionId connection, const Reply& reply, Time now) {
  history_.surplus(connection, now, reply);
}

const LoadFigures& Recorder::of(const std::string& load) const {
  static const LoadFigures kNone;
  const auto found = loads_.find(load);
  return found == loads_.end() ? kNone : found->second;
}

}  // namespace kiwi::lab
