#include "node/commands/redis_call.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace kiwi {
namespace {

constexpr std::size_t kMostReplyBytes = 1u << 20;
constexpr int kMostNesting = 8;

class Socket {
 public:
  explicit Socket(int file) : file_(file) {}
  ~Socket() {
    if (file_ >= 0)
      ::close(file_);
  }
  Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int file() const { return file_; }

 private:
  int file_;
};

CommandResult<Socket> connect_to(const std::string& host, std::uint16_t port) {
  const auto where = host + ":" + std::to_string(port);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    return command_failed(kExitNoAnswer, where + ": " + ::gai_strerror(error));
  int last_error = 0;
  std::optional<Socket> connected;
  for (const auto* a = found; a != nullptr && !connected; a = a->ai_next) {
    Socket socket(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
    if (socket.file() >= 0 && ::connect(socket.file(), a->ai_addr, a->ai_addrlen) == 0)
      connected.emplace(std::move(socket));
    else
      last_error = errno;
  }
  ::freeaddrinfo(found);
  if (!connected)
    return command_failed(kExitNoAnswer,
                          "the node does not answer at " + where + ": " + std::strerror(last_error));
  return std::move(*connected);
}

bool send_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// RESP2, as far as a node answers with it here. Starts anew whenever more bytes have come.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  enum class Outcome { done, more, bad };

  Outcome read(RedisAnswer& answer, int nesting = 0) {
    const auto end = rest_.find("\r\n");
    if (end == std::string_view::npos)
      return Outcome::more;
    if (end == 0 || nesting > kMostNesting)
      return Outcome::bad;
    const char type = rest_[0];
    const auto line = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 2);
    if (type == '+' || type == '-' || type == ':') {
      answer.is_error = answer.is_error || type == '-';
      answer.words.emplace_back(line);
      return Outcome::done;
    }
    long long count = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), count);
    if (error != std::errc{} || stop != line.data() + line.size() ||
        count > static_cast<long long>(kMostReplyBytes))
      return Outcome::bad;
    if (type == '$')
      return text(answer, count);
    if (type != '*')
      return Outcome::bad;
    for (long long i = 0; i < count; ++i)
      if (const auto outcome = read(answer, nesting + 1); outcome != Outcome::done)
        return outcome;
    return Outcome::done;
  }

 private:
  Outcome text(RedisAnswer& answer, long long count) {
    if (count < 0) {
      answer.words.emplace_back();
      return Outcome::done;
    }
    const auto size = static_cast<std::size_t>(count);
    if (rest_.size() < size + 2)
      return Outcome::more;
    answer.words.emplace_back(rest_.substr(0, size));
    rest_.remove_prefix(size + 2);
    return Outcome::done;
  }

  std::string_view rest_;
};

}  // namespace

CommandResult<RedisAnswer> redis_call(const std::string& host, std::uint16_t port,
                                      const std::vector<std::string>& command,
                                      const std::function<void()>& waiting) {
  const auto where = "the node at " + host + ":" + std::to_string(port);
  auto socket = connect_to(host, port);
  if (!socket)
    return tl::unexpected(socket.error());
  std::string bytes = "*" + std::to_string(command.size()) + "\r\n";
  for (const auto& word : command) bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  if (!send_all(socket->file(), bytes))
    return command_failed(kExitNoAnswer, where + " closed the connection");
  std::string come;
  for (;;) {
    pollfd ready{socket->file(), POLLIN, 0};
    const int polled = ::poll(&ready, 1, 1000);
    if (polled < 0 && errno != EINTR)
      return command_failed(kExitNoAnswer, std::string("poll: ") + std::strerror(errno));
    if (polled <= 0) {
      waiting();
      continue;
    }
    char piece[4096];
    const auto got = ::recv(socket->file(), piece, sizeof piece, 0);
    if (got <= 0)
      return command_failed(kExitNoAnswer, where + " closed the connection before it answered");
    come.append(piece, static_cast<std::size_t>(got));
    RedisAnswer answer;
    const auto outcome = Reader(come).read(answer);
    if (outcome == Reader::Outcome::done)
      return answer;
    if (outcome == Reader::Outcome::bad || come.size() > kMostReplyBytes)
      return command_failed(kExitNoAnswer, where + " does not speak the Redis protocol");
  }
}

}  // namespace kiwi
