#include "lab/fault/jobs.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "lab/fault/stop_signals.hpp"

namespace kiwi::lab {
namespace {

struct Worker {
  pid_t pid = -1;
  int socket = -1;
  std::size_t doing = 0;
};

bool write_all(int to, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t n = send(to, at, size, MSG_NOSIGNAL);
    if (n <= 0) {
      return false;
    }
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool read_all(int from, void* bytes, std::size_t size) {
  char* at = static_cast<char*>(bytes);
  while (size > 0) {
    const ssize_t n = read(from, at, size);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

[[noreturn]] void serve(int socket, const std::function<std::string(std::size_t)>& work) {
  std::uint64_t index = 0;
  while (read_all(socket, &index, sizeof index)) {
    const std::string result = work(index);
    const std::uint64_t size = result.size();
    if (!write_all(socket, &size, sizeof size) || !write_all(socket, result.data(), result.size())) {
      break;
    }
  }
  // No destructors of what belongs to the parent.
  std::fflush(nullptr);
  _exit(0);
}

std::optional<Worker> start(const std::function<std::string(std::size_t)>& work,
                            const std::vector<Worker>& others) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) {
    return std::nullopt;
  }
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    close(sockets[0]);
    close(sockets[1]);
    return std::nullopt;
  }
  if (pid == 0) {
    close(sockets[0]);
    for (const Worker& other : others) {
      close(other.socket);
    }
    // Ends with its parent, also when that is killed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    leave_signals_to_parent();
    if (getppid() != parent) {
      _exit(1);
    }
    serve(sockets[1], work);
  }
  close(sockets[1]);
  return Worker{pid, sockets[0], 0};
}

bool give(Worker& worker, std::size_t index) {
  worker.doing = index;
  const std::uint64_t number = index;
  return write_all(worker.socket, &number, sizeof number);
}

std::string why_ended(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    return std::string("the process that ran it died of signal ") + std::to_string(WTERMSIG(status)) + " (" +
           strsignal(WTERMSIG(status)) + ")";
  }
  return "the process that ran it ended with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

bool run_jobs(std::size_t count, std::size_t jobs, const std::function<std::string(std::size_t)>& work,
              const std::function<void(std::size_t, const std::string&, const std::string&)>& done) {
  const StopSignals signals;
  std::vector<Worker> workers;
  std::size_t next = 0;
  const auto pids = [&workers] {
    std::vector<pid_t> all;
    for (const Worker& worker : workers) {
      all.push_back(worker.pid);
    }
    return all;
  };
  const auto hire = [&] {
    auto worker = start(work, workers);
    if (!worker || !give(*worker, next)) {
      return false;
    }
    ++next;
    workers.push_back(*worker);
    return true;
  };
  while (workers.size() < jobs && next < count) {
    if (!hire()) {
      return false;
    }
  }
  while (!workers.empty()) {
    std::vector<pollfd> waiting;
    for (const Worker& worker : workers) {
      waiting.push_back({worker.socket, POLLIN, 0});
    }
    const int ready = poll(waiting.data(), waiting.size(), -1);
    if (StopSignals::came() != 0) {
      StopSignals::end(pids());
    }
    if (ready < 0) {
      continue;
    }
    for (std::size_t i = waiting.size(); i-- > 0;) {
      if (waiting[i].revents == 0) {
        continue;
      }
      Worker& worker = workers[i];
      std::uint64_t size = 0;
      std::string result;
      bool alive = read_all(worker.socket, &size, sizeof size);
      if (alive) {
        result.resize(size);
        alive = read_all(worker.socket, result.data(), size);
      }
      const std::size_t index = worker.doing;
      if (alive && next < count && give(worker, next)) {
        ++next;
        done(index, result, "");
        continue;
      }
      close(worker.socket);
      const std::string died = why_ended(worker.pid);
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
      done(index, result, alive ? "" : died);
      if (next < count && !hire()) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace kiwi::lab
