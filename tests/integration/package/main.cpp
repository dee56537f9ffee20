// Everything an application needs must come with the package: SET, GET, an ordered stop.

#include <iostream>
#include <kiwi/kiwi.hpp>

namespace {

struct Config : caf::actor_system_config {
  Config() {
    set("logger.inline-output", true);
    kiwi::register_errors(*this);
  }
};

template <class Message>
std::string ask(caf::scoped_actor& self, const kiwi::ReplicaActor& replica, Message message) {
  std::string text;
  self->request(replica, caf::infinite, std::move(message))
      .receive([&](const kiwi::ClientResponse& r) { text = r.reply.text.str(); },
               [&](const caf::error& e) { text = self->system().render(e); });
  return text;
}

}  // namespace

int main(int, char** argv) {
  Config config;
  caf::actor_system system(config);
  kiwi::EmbeddedOptions options;
  options.dir = argv[1];
  auto replica = kiwi::EmbeddedReplica::open(system, options);
  if (!replica || !replica->wait_until_ready(std::chrono::seconds(30))) {
    std::cerr << "no replica: " << (replica ? "not ready" : system.render(replica.error())) << '\n';
    return 1;
  }
  caf::scoped_actor self{system};
  auto set = ask(self, replica->actor(), kiwi::Propose{kiwi::make_command({"SET", "k", "v"}).value()});
  auto get = ask(self, replica->actor(), kiwi::Query{kiwi::make_command({"GET", "k"}).value()});
  auto reason = replica->stop();
  std::cout << "SET: " << set << ", GET: " << get << ", stopped: " << system.render(reason) << '\n';
  return set == "OK" && get == "v" && !reason ? 0 : 1;
}
