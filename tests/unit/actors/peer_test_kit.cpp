#include "tests/unit/actors/peer_test_kit.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "actors/peer_hello.hpp"
#include "messages/codec.hpp"

namespace kiwi::test {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

class EarSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit EarSink(std::shared_ptr<Ear> ear) : ear_(std::move(ear)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& m) override {
    std::string line(m.payload.data(), m.payload.size());
    ear_->change([&](Ear::Heard& heard) { heard.log.push_back(line); });
  }
  void flush_() override {}
  std::shared_ptr<Ear> ear_;
};

caf::behavior scripted_replica(caf::event_based_actor* self, std::shared_ptr<Ear> ear, Hello own, bool silent,
                               std::uint64_t refuses_instance) {
  return {
      [=](const FromPeer& m) {
        ear->change([&](Ear::Heard& heard) {
          auto& known = heard.messages[m.from.value];
          known.insert(known.end(), m.messages.begin(), m.messages.end());
        });
      },
      [=](const PeerUp& m) { ear->change([&](Ear::Heard& heard) { ++heard.ups[m.peer.value]; }); },
      [=](const PeerGone& m) { ear->change([&](Ear::Heard& heard) { ++heard.gone[m.peer.value]; }); },
      [=](const PeerUnreachable& m) { ear->change([&](Ear::Heard& heard) { ++heard.downs[m.peer.value]; }); },
      [=](const HelloQuestion& m) -> caf::result<HelloVerdict> {
        ear->change([&](Ear::Heard& heard) { heard.hellos.push_back(m.hello); });
        if (silent)
          return self->make_response_promise<HelloVerdict>();
        if (refuses_instance != 0 && m.hello.instance.value == refuses_instance)
          return HelloVerdict{"another data directory", own};
        return HelloVerdict{hello_mismatch(m.hello, own), own};
      },
  };
}

}  // namespace

int Ear::Heard::logged(const std::string& text) const {
  return static_cast<int>(std::count_if(log.begin(), log.end(),
                                        [&](auto& line) { return line.find(text) != std::string::npos; }));
}

void Ear::change(const std::function<void(Heard&)>& f) {
  std::lock_guard lock(mutex_);
  f(heard_);
  changed_.notify_all();
}

bool Ear::wait(const std::function<bool(const Heard&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [&] { return condition(heard_); });
}

Ear::Heard Ear::now() {
  std::lock_guard lock(mutex_);
  return heard_;
}

TestNode::Config::Config() {
  load<caf::io::middleman>();
  set("scheduler.max-threads", 1);
  set("scheduler.policy", caf::atom("sharing"));
}

TestNode::TestNode(Options options) : options_(std::move(options)) {
  log_ = std::make_shared<spdlog::logger>("test", std::make_shared<EarSink>(ear_));
  replica_ = caf::actor_cast<ReplicaActor>(
      system_.spawn(scripted_replica, ear_, hello(0), options_.silent, options_.refuses_instance));
  PeerServerOptions server;
  server.port = options_.port;
  server.replica = replica_;
  server.log = log_;
  options_.server(server);
  auto spawned = spawn_peer_server(system_, server);
  if (!spawned)
    throw std::runtime_error(spawned.error());
  server_ = *spawned;
  port_ = server_.port;
}

TestNode::~TestNode() {
  while (!links_.empty()) disconnect(links_.begin()->first);
  caf::anon_send_exit(server_.actor, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(replica_, caf::exit_reason::user_shutdown);
  server_.actor = nullptr;
  replica_ = nullptr;
}

Hello TestNode::hello(std::uint64_t target) const {
  Hello hello;
  hello.protocol_version = options_.protocol_version;
  hello.cluster = ClusterId(options_.cluster);
  hello.node = NodeId(options_.id);
  hello.target = NodeId(target);
  hello.instance = InstanceId(1000 + options_.id);
  return hello;
}

PeerActor TestNode::connect(std::uint64_t id, std::uint16_t port,
                            const std::function<void(PeerOptions&)>& tune) {
  PeerOptions peer;
  peer.hello = hello(id);
  peer.host = "127.0.0.1";
  peer.port = port;
  peer.replica = replica_;
  peer.dialer = spawn_dialer(system_);
  peer.log = log_;
  peer.jitter_seed = id;
  tune(peer);
  auto& link = links_[id];
  link.dialer = peer.dialer;
  link.peer = spawn_peer(system_, std::move(peer));
  return link.peer;
}

void TestNode::disconnect(std::uint64_t id) {
  auto link = links_.extract(id);
  caf::anon_send_exit(link.mapped().peer, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(link.mapped().dialer, caf::exit_reason::user_shutdown);
}

bool TestNode::wait_up(std::uint64_t peer, int times) {
  return wait([=](const Ear::Heard& heard) {
    auto found = heard.ups.find(peer);
    return found != heard.ups.end() && found->second >= times;
  });
}

RawClient::RawClient(OwnedSocket socket) : socket_(std::move(socket)) {
  timeval limit{10, 0};
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

RawClient::RawClient(std::uint16_t port)
    : RawClient(OwnedSocket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<std::string> RawClient::receive_all() {
  std::string all;
  char buffer[65536];
  for (;;) {
    auto n = ::recv(socket_.fd(), buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
      return all;
    if (n < 0)
      return std::nullopt;
    all.append(buffer, static_cast<std::size_t>(n));
  }
}

std::optional<std::string> RawClient::receive(std::size_t bytes) {
  std::string all(bytes, '\0');
  for (std::size_t done = 0; done < bytes;) {
    auto n = ::recv(socket_.fd(), all.data() + done, bytes - done, 0);
    if (n <= 0)
      return std::nullopt;
    done += static_cast<std::size_t>(n);
  }
  return all;
}

std::optional<std::variant<PeerMessage, Hello>> RawClient::receive_frame() {
  auto head = receive(kFrameHeaderBytes);
  if (!head)
    return std::nullopt;
  auto header = decode_frame_header(*head).value();
  auto body = receive(header.body_bytes);
  if (!body)
    return std::nullopt;
  return decode_frame_body(header, Bytes(std::move(*body))).value();
}

void RawClient::finish() { ::shutdown(socket_.fd(), SHUT_WR); }

RawServer::RawServer() : listening_(listen_on("127.0.0.1", 0).value()) {}

RawClient RawServer::accept() {
  return RawClient(OwnedSocket(::accept(listening_.socket.fd(), nullptr, nullptr)));
}

PeerMessage control(std::uint64_t number) {
  HeartbeatRequest m;
  m.term = Term(1);
  m.round = number;
  return m;
}

PeerMessage bulk(std::uint64_t number, std::size_t bytes) {
  AppendRequest m;
  m.term = Term(1);
  m.sequence = number;
  m.entries.push_back(
      Entry{LogId{Term(1), Index(number + 1)}, EntryKind::command, 5, Bytes(std::string(bytes, 'x'))});
  return m;
}

std::vector<std::uint64_t> control_numbers(const std::vector<PeerMessage>& messages) {
  std::vector<std::uint64_t> numbers;
  for (auto& m : messages)
    if (auto* heartbeat = std::get_if<HeartbeatRequest>(&m))
      numbers.push_back(heartbeat->round);
  return numbers;
}

std::vector<std::uint64_t> bulk_numbers(const std::vector<PeerMessage>& messages) {
  std::vector<std::uint64_t> numbers;
  for (auto& m : messages)
    if (auto* append = std::get_if<AppendRequest>(&m))
      numbers.push_back(append->sequence);
  return numbers;
}

std::size_t open_files() {
  std::size_t count = 0;
  auto* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

bool wait_open_files(std::size_t count) {
  auto end = std::chrono::steady_clock::now() + kDeadline;
  while (open_files() > count) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace kiwi::test
