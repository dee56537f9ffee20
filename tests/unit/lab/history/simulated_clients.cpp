#include "tests/unit/lab/history/simulated_clients.hpp"

#include <utility>

#include "tests/unit/lab/history/reference_store.hpp"

namespace kiwi::lab::history::testing {
namespace {

class Simulation {
 public:
  Simulation(const Clients& options, std::uint64_t seed) : options_(options), random_(seed) {
    clients_.resize(static_cast<std::size_t>(options.clients));
    for (auto& client : clients_) client.identity = ++identities_;
  }

  History run(bool final_reads) {
    while (open_ > 0 || called_ < options_.operations) step(clients_[random_.below(clients_.size())]);
    if (final_reads)
      read_everything();
    return std::move(history_);
  }

 private:
  struct Client {
    std::uint64_t identity = 0;
    std::uint64_t operation = 0;  // 0: idle
    bool happened = false;
    Reply reply;
  };

  void step(Client& client) {
    ++now_;
    if (client.operation == 0) {
      if (called_ < options_.operations)
        call(client);
    } else if (!client.happened && random_.one_in(options_.refused_one_in)) {
      finish(client, {now_, Outcome::not_done, Reply::error("TRYAGAIN"), {}});
    } else if (random_.one_in(options_.lost_one_in)) {
      finish(client, {now_, Outcome::unknown, {}, {}});
      client.identity = ++identities_;
    } else if (!client.happened) {
      client.reply = store_.run(history_.find(client.operation)->command);
      client.happened = true;
    } else {
      finish(client, {now_, Outcome::done, client.reply, {}});
    }
  }

  void call(Client& client) {
    Operation operation;
    operation.client = operation.connection = client.identity;
    operation.invoked_at = now_;
    operation.command = options_.command(random_, ++called_);
    client.operation = history_.append(std::move(operation));
    client.happened = false;
    ++open_;
  }

  void finish(Client& client, Completion completion) {
    history_.complete(client.operation, std::move(completion));
    client.operation = 0;
    --open_;
  }

  void read_everything() {
    history_.mark(kFinalReads, ++now_);
    for (const auto& [key, value] : store_.strings) {
      Operation operation;
      operation.client = operation.connection = ++identities_;
      operation.invoked_at = ++now_;
      operation.command = {"GET", key};
      const auto number = history_.append(std::move(operation));
      history_.complete(number, {++now_, Outcome::done, Reply::bulk(value), {}});
    }
  }

  const Clients& options_;
  Random random_;
  ReferenceStore store_;
  History history_;
  std::vector<Client> clients_;
  std::uint64_t identities_ = 0;
  int called_ = 0;
  int open_ = 0;
  Time now_{0};
};

}  // namespace

History changed(const History& history, const std::function<void(Operation&)>& change) {
  History copy;
  copy.about = history.about;
  for (auto operation : history.operations()) {
    change(operation);
    copy.restore(std::move(operation));
  }
  for (const auto& marker : history.markers()) copy.mark(marker.name, marker.at);
  for (const auto& surplus : history.surplus_replies())
    copy.surplus(surplus.connection, surplus.at, surplus.reply);
  return copy;
}

namespace {
History made(const Clients& clients, std::uint64_t seed, bool final_reads) {
  auto history = Simulation(clients, seed).run(final_reads);
  if (clients.ordered)
    return history;
  return changed(history, [](Operation& o) { o.invoked_order = o.returned_order = 0; });
}
}  // namespace

History simulate(const Clients& clients, std::uint64_t seed) { return made(clients, seed, false); }
History simulate_with_final_reads(const Clients& clients, std::uint64_t seed) {
  return made(clients, seed, true);
}

std::function<std::vector<std::string>(Random&, int)> mix(std::vector<std::vector<std::string>> choices,
                                                          int keys) {
  return [choices = std::move(choices), keys](Random& random, int n) {
    auto command = choices[random.below(choices.size())];
    for (auto& word : command) {
      if (word == "KEY")
        word = "k" + std::to_string(random.below(static_cast<std::uint64_t>(keys)));
      else if (word == "UNIQUE")
        word = "v" + std::to_string(n);
      else if (word == "SMALL")
        word = std::to_string(random.below(3));
    }
    return command;
  };
}

}  // namespace kiwi::lab::history::testing
