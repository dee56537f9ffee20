#include "bench/load/generator.hpp"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <memory>

#include "bench/load/connection.hpp"

namespace kiwi::bench {

namespace {

std::uint64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

class Generator {
 public:
  explicit Generator(const LoadOptions& options) : options_(options), workload_(options.workload) {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    if (poll_ < 0)
      throw ConnectionFailed("epoll_create1");
    for (std::uint64_t i = 0; i < options.clients; ++i) {
      clients_.push_back({std::make_unique<Connection>(options.host, options.port)});
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(poll_, EPOLL_CTL_ADD, clients_.back().connection->fd(), &event);
    }
  }
  ~Generator() { close(poll_); }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  LoadResult run() {
    begin_us_ = now_us();
    counts_from_us_ = begin_us_ + static_cast<std::uint64_t>(options_.warm_up_seconds * 1e6);
    end_us_ = counts_from_us_ + static_cast<std::uint64_t>(options_.seconds * 1e6);
    last_line_us_ = begin_us_;
    if (options_.rate == 0)
      for (std::uint64_t i = 0; i < clients_.size(); ++i) ask_batch(i, begin_us_);
    for (auto now = begin_us_; now < end_us_; now = now_us()) step(now);
    if (options_.rate != 0)
      result_.behind = due_before(end_us_) - sent_;
    result_.seconds = static_cast<double>(end_us_ - counts_from_us_) / 1e6;
    return std::move(result_);
  }

 private:
  struct Client {
    std::unique_ptr<Connection> connection;
    bool blocked = false;  // the socket takes no more
  };

  void step(std::uint64_t now) {
    if (options_.rate != 0)
      ask_what_is_due(now);
    std::array<epoll_event, 256> events;
    const auto wait = all_busy_ ? timespec{0, 100'000'000} : patience(now);
    const int count = epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    if (count < 0 && errno != EINTR)
      throw ConnectionFailed("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      const auto number = events[static_cast<std::size_t>(i)].data.u64;
      auto& connection = *clients_[number].connection;
      connection.read_some([this](std::uint64_t since, const Reply& reply) { answered(since, reply); });
      if (options_.rate == 0 && connection.unanswered() == 0)
        ask_batch(number, now_us());
      else if (clients_[number].blocked)
        flush(number);
    }
    if (options_.progress && now >= last_line_us_ + 1'000'000)
      show(now);
  }

  /// Until the next command is due; answers wake it before.
  timespec patience(std::uint64_t now) const {
    constexpr std::uint64_t kMostUs = 100'000;
    const auto due = options_.rate == 0 ? now + kMostUs : std::max(due_at(sent_), now);
    const auto wait_us = std::min(due - now, kMostUs);
    return {static_cast<time_t>(wait_us / 1'000'000), static_cast<long>(wait_us % 1'000'000 * 1000)};
  }

  void ask_batch(std::uint64_t number, std::uint64_t now) {
    auto& connection = *clients_[number].connection;
    for (std::uint64_t i = 0; i < options_.pipeline; ++i) {
      workload_.append_next(connection.out());
      connection.asked(now);
    }
    flush(number);
  }

  std::uint64_t due_at(std::uint64_t number) const {
    return begin_us_ + static_cast<std::uint64_t>(static_cast<double>(number) * 1e6 / options_.rate);
  }
  std::uint64_t due_before(std::uint64_t time) const {
    return static_cast<std::uint64_t>(std::ceil(static_cast<double>(time - begin_us_) * options_.rate / 1e6));
  }

  /// Commands go to the clients in turn; one that has too many unanswered is passed over. When all have, the
  /// rest stays due.
  void ask_what_is_due(std::uint64_t now) {
    std::uint64_t passed_over = 0;
    while (due_at(sent_) <= now && passed_over < clients_.size()) {
      const auto number = turn_++ % clients_.size();
      auto& connection = *clients_[number].connection;
      if (connection.unanswered() >= options_.pipeline) {
        ++passed_over;
        continue;
      }
      passed_over = 0;
      if (connection.out().empty())
        asked_.push_back(number);
      workload_.append_next(connection.out());
      connection.asked(due_at(sent_++));
    }
    all_busy_ = passed_over == clients_.size();
    for (const auto number : asked_) flush(number);
    asked_.clear();
  }

  void flush(std::uint64_t number) {
    auto& client = clients_[number];
    const bool blocked = client.connection->write_some();
    if (blocked == client.blocked)
      return;
    client.blocked = blocked;
    epoll_event event{};
    event.events = blocked ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = number;
    epoll_ctl(poll_, EPOLL_CTL_MOD, client.connection->fd(), &event);
  }

  void answered(std::uint64_t since, const Reply& reply) {
    const auto now = now_us();
    ++answers_;
    if (now < counts_from_us_ || now >= end_us_)
      return;
    if (reply.type == Reply::Type::error) {
      const auto text = reply.text.view();
      ++result_.errors[std::string(text.substr(0, text.find(' ')))];
      return;
    }
    result_.latencies.add(now - std::min(since, now));
    const auto second = (now - counts_from_us_) / 1'000'000;
    if (result_.by_second.size() <= second)
      result_.by_second.resize(second + 1);
    ++result_.by_second[second];
  }

  void show(std::uint64_t now) {
    std::fprintf(stderr, "%5.0f s: %8.0f answers/s\n", static_cast<double>(now - begin_us_) / 1e6,
                 static_cast<double>(answers_) * 1e6 / static_cast<double>(now - last_line_us_));
    answers_ = 0;
    last_line_us_ = now;
  }

  const LoadOptions& options_;
  Workload workload_;
  std::vector<Client> clients_;
  int poll_ = -1;
  std::uint64_t begin_us_ = 0, counts_from_us_ = 0, end_us_ = 0, last_line_us_ = 0;
  std::uint64_t sent_ = 0, turn_ = 0, answers_ = 0;
  std::vector<std::uint64_t> asked_;
  bool all_busy_ = false;  // commands are due that no client can take
  LoadResult result_;
};

}  // namespace

LoadResult generate(const LoadOptions& options) { return Generator(options).run(); }

}  // namespace kiwi::bench
