#include "node/fault/control.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <thread>

#include "messages/fault_tables.hpp"

namespace kiwi::fault {
namespace {

template <class Number>
bool read(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

constexpr std::int64_t kMarkPauseNs = 10'000'000;

[[noreturn]] void die() {
  ::raise(SIGKILL);
  std::abort();
}

}  // namespace

tl::expected<void, std::string> Control::start(const std::string& path, std::uint64_t node) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return tl::unexpected(std::string("--control: the path is too long"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected("--control " + path + ": " + std::strerror(errno));
  }
  say("hello " + std::to_string(node) + " " + std::to_string(::getpid()));
  // The thread must not take signals that are meant for the node.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread([this] { listen(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void Control::mark(std::size_t number, std::string_view name) {
  if (number == crash_at_ && crash_in_.fetch_sub(1) == 1) {
    if (disk_.buffers()) {
      static_cast<void>(disk_.power_fail("exact", false, 0));
    }
    die();
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  auto& last = reported_[number % kMostMarks];
  auto before = last.load();
  if (now - before < kMarkPauseNs || !last.compare_exchange_strong(before, now)) {
    return;
  }
  const std::string text = "mark " + std::string(name) + "\n";
  ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Control::say(const std::string& line) {
  // One call per line: lines of several threads do not mix.
  const std::string text = line + "\n";
  if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno == EPIPE) {
    die();
  }
}

void Control::listen() {
  std::string waiting;
  char bytes[4096];
  for (;;) {
    const auto got = ::read(socket_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      die();  // nobody would ever end this process
    }
    waiting.append(bytes, static_cast<std::size_t>(got));
    for (auto end = waiting.find('\n'); end != std::string::npos; end = waiting.find('\n')) {
      handle(waiting.substr(0, end));
      waiting.erase(0, end + 1);
    }
  }
}

void Control::handle(const std::string& line) {
  const auto space = line.find(' ');
  const auto number = line.substr(0, space);
  const auto answer = command(space == std::string::npos ? "" : line.substr(space + 1));
  say(answer ? "ok " + number + " " + *answer : "error " + number + " " + answer.error());
  if (dies_) {
    die();
  }
}

tl::expected<std::string, std::string> Control::command(const std::string& line) {
  auto words = split_words(line);
  const auto verb = words.plain.empty() ? std::string() : words.plain.front();
  if (!words.plain.empty()) {
    words.plain.erase(words.plain.begin());
  }
  if (verb == "clock") {
    return clock_command(words);
  }
  if (verb == "disk") {
    return disk_.command(words);
  }
  if (verb == "hold") {
    disk_.fs().hold();
    return std::string("held");
  }
  if (verb == "kill") {
    dies_ = true;
    return disk_.buffers() ? disk_.power_fail("exact", false, 0) : std::string("everything");
  }
  std::uint64_t nth = 1;
  if (verb == "crash-at" && words.plain.size() == 1 && words.plain[0] == "none") {
    crash_at_ = kMostMarks;
    return std::string("not any more");
  }
  if (verb == "crash-at" &&
      (words.plain.size() == 1 || (words.plain.size() == 2 && read(words.plain[1], nth)))) {
    for (std::size_t i = 0; i < std::size(kMarks); ++i) {
      if (kMarks[i].name == words.plain[0]) {
        crash_in_ = nth;
        crash_at_ = i;
        return "waiting for " + words.plain[0];
      }
    }
    return tl::unexpected("there is no mark " + words.plain[0]);
  }
  std::uint64_t seed = 0;
  if (verb == "power-fail" && words.plain.size() == 3 && read(words.plain[2], seed)) {
    if (!disk_.buffers()) {
      return tl::unexpected(std::string("started without --disk-buffers"));
    }
    auto kept = disk_.power_fail(words.plain[0], words.plain[1] == "torn", seed);
    dies_ = kept.has_value();
    return kept;
  }
  return tl::unexpected("not understood: " + line);
}

tl::expected<std::string, std::string> Control::clock_command(const Words& words) {
  const auto verb = words.plain.empty() ? std::string() : words.plain[0];
  const auto value = words.plain.size() > 1 ? words.plain[1] : std::string();
  std::int64_t nanoseconds = 0;
  double rate = 0;
  if (verb == "offset" && read(value, nanoseconds)) {
    clock_.set_offset(std::chrono::nanoseconds(nanoseconds));
  } else if (verb == "jump" && read(value, nanoseconds)) {
    clock_.jump(std::chrono::nanoseconds(nanoseconds));
  } else if (verb == "rate" && read(value, rate) && rate >= 0.1 && rate <= 10) {
    clock_.set_rate(rate);
  } else if (verb == "freeze") {
    clock_.freeze();
  } else if (verb == "heal") {
    clock_.heal();
  } else {
    return tl::unexpected("not understood: clock " + verb + " " + value);
  }
  return "changed";
}

}  // namespace kiwi::fault
