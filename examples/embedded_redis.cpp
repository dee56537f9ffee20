// A replica of Kiwi's Redis machine inside an application: proposes and reads by typed messages, stops in
// order, opens the directory again and finds its data.
//
//   embedded_redis [DIR]      exit code 0: everything was as expected

#include <iostream>
#include <kiwi/kiwi.hpp>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

struct Config : caf::actor_system_config {
  Config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 1);
    set("logger.inline-output", true);
    kiwi::register_errors(*this);
  }
};

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

void expect(bool holds, const std::string& what) {
  if (!holds)
    fail("not as expected: " + what);
}

/// One command, the reply to it. An actor would use .then() instead of .receive(), which waits.
kiwi::Reply run(caf::scoped_actor& self, const kiwi::EmbeddedReplica& replica,
                std::initializer_list<std::string_view> arguments) {
  auto command = kiwi::make_command(arguments);
  if (!command)
    fail(command.error());
  kiwi::Reply reply;
  auto answered = [&](kiwi::ClientResponse& response) { reply = std::move(response.reply); };
  auto refused = [&](caf::error& error) {
    // Of all kinds only "unknown" may have happened; the others could safely be sent again.
    fail(self->system().render(error));
  };
  if (kiwi::is_write(*command))
    self->request(replica.actor(), caf::infinite, kiwi::Propose{*command}).receive(answered, refused);
  else
    self->request(replica.actor(), caf::infinite, kiwi::Query{*command}).receive(answered, refused);
  return reply;
}

kiwi::EmbeddedReplica open(caf::actor_system& system, const std::string& dir) {
  kiwi::EmbeddedOptions options;
  options.dir = dir;
  auto replica = kiwi::EmbeddedReplica::open(system, options);
  if (!replica)
    fail(system.render(replica.error()));
  if (!replica->wait_until_ready(30s))
    fail("no leader after 30 s");
  return std::move(*replica);
}

void stop(kiwi::EmbeddedReplica& replica, caf::actor_system& system) {
  if (auto reason = replica.stop())
    fail(system.render(reason));
}

/// An actor of the application that counts through the replica without ever waiting for it.
caf::behavior visits(caf::event_based_actor* self, kiwi::ReplicaActor replica) {
  return {[self, replica](int times) {
    auto promise = self->make_response_promise<std::int64_t>();
    auto left = std::make_shared<int>(times);
    for (int i = 0; i < times; ++i)
      self->request(replica, caf::infinite, kiwi::Propose{*kiwi::make_command({"INCR", "visits"})})
          .then(
              [promise, left](const kiwi::ClientResponse& response) mutable {
                if (--*left == 0)
                  promise.deliver(response.reply.integer);
              },
              [promise](caf::error& error) mutable { promise.deliver(std::move(error)); });
    return promise;
  }};
}

void first_life(caf::actor_system& system, const std::string& dir) {
  auto replica = open(system, dir);
  caf::scoped_actor self{system};
  expect(run(self, replica, {"SET", "greeting", "hello"}) == kiwi::Reply::ok(), "SET says OK");
  expect(run(self, replica, {"GET", "greeting"}).text.view() == "hello", "GET finds what SET stored");
  expect(run(self, replica, {"INCR", "greeting"}).is_error(), "INCR of a text is an error reply");

  auto counter = system.spawn(visits, replica.actor());
  self->request(counter, caf::infinite, 100)
      .receive([](std::int64_t count) { expect(count == 100, "the last of 100 INCR says 100"); },
               [&](caf::error& error) { fail(system.render(error)); });
  self->send_exit(counter, caf::exit_reason::user_shutdown);

  expect(!kiwi::make_command({"INCR"}), "a wrong number of arguments is refused at the door");
  expect(!kiwi::make_command({"HELLO", "3"}), "commands of a connection are refused at the door");
  stop(replica, system);
  expect(!replica.running(), "a stopped replica does not run");
  self->request(replica.actor(), caf::infinite, kiwi::Propose{*kiwi::make_command({"INCR", "visits"})})
      .receive([](const kiwi::ClientResponse&) { fail("a stopped replica took a write"); },
               [](const caf::error& error) {
                 expect(kiwi::answer_kind_of(error) == kiwi::AnswerKind::unknown,
                        "a dead actor says nothing");
               });
}

void second_life(caf::actor_system& system, const std::string& dir) {
  auto replica = open(system, dir);
  caf::scoped_actor self{system};
  expect(run(self, replica, {"GET", "greeting"}).text.view() == "hello", "the text is there again");
  expect(run(self, replica, {"INCR", "visits"}).integer == 101, "the count goes on");

  kiwi::EmbeddedOptions same;
  same.dir = dir;
  expect(!kiwi::EmbeddedReplica::open(system, same), "a directory in use is refused");
  stop(replica, system);
  same.id = kiwi::NodeId(7);
  auto other = kiwi::EmbeddedReplica::open(system, same);
  expect(!other && other.error().category() == caf::atom("storage"), "another node's directory is refused");
  std::cout << "refused as it should be: " << system.render(other.error()) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = argc > 1 ? argv[1] : "embedded_redis.data";
  try {
    Config config;
    caf::actor_system system(config);
    first_life(system, dir);
    second_life(system, dir);
  } catch (const std::exception& e) {
    std::cerr << "embedded_redis: " << e.what() << '\n';
    return 1;
  }
  std::cout << "embedded_redis: everything is as expected\n";
  return 0;
}
