#include "lab/process/node_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace kiwi::lab {
namespace {

constexpr int kExitUsage = 2;  // of kiwi-node; 127: there is no such program

}  // namespace

NodeProcess::NodeProcess(NodeId id, std::filesystem::path dir, std::filesystem::path log)
    : id_(id), dir_(std::move(dir)), log_(std::move(log)) {}

NodeProcess::~NodeProcess() { kill(); }

tl::expected<void, std::string> NodeProcess::start(const std::filesystem::path& program,
                                                   const std::vector<std::string>& arguments) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(log_, ignored);
  log_begin_ = ignored ? 0 : size;
  const int output = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) {
    return tl::unexpected(log_.string() + ": " + std::strerror(errno));
  }
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
      ::_exit(127);
    }
    // Signals from a terminal are for the laboratory.
    ::setpgid(0, 0);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      ::signal(signal, SIG_DFL);  // what the laboratory does with its own says nothing about the node's
    }
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(output);
  if (pid < 0) {
    return tl::unexpected(std::string("fork: ") + std::strerror(errno));
  }
  pid_ = pid;
  ++life_;
  paused_ = stopping_ = expected_ = failed_ = killed_itself_ = may_kill_itself_ = false;
  why_.clear();
  return {};
}

void NodeProcess::kill() {
  if (!up()) {
    return;
  }
  expected_ = true;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended(status);
}

void NodeProcess::terminate() {
  stopping_ = true;
  ::kill(pid_, SIGTERM);
}

void NodeProcess::pause() {
  paused_ = true;
  ::kill(pid_, SIGSTOP);
  // Until it has stopped, it may still do something.
  int status = 0;
  while (::waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {
  }
  if (!WIFSTOPPED(status)) {
    ended(status);
  }
}

void NodeProcess::resume() {
  paused_ = false;
  ::kill(pid_, SIGCONT);
}

bool NodeProcess::poll() {
  int status = 0;
  if (!up() || ::waitpid(pid_, &status, WNOHANG) != pid_) {
    return false;
  }
  ended(status);
  return true;
}

void NodeProcess::ended(int status) {
  const bool in_order = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  killed_itself_ = may_kill_itself_ && !expected_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  failed_ = !expected_ && !killed_itself_ && !(stopping_ && in_order);
  refused_ =
      failed_ && WIFEXITED(status) && (WEXITSTATUS(status) == kExitUsage || WEXITSTATUS(status) == 127);
  if (failed_) {
    why_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                               : "exit code " + std::to_string(WEXITSTATUS(status));
    if (const auto words = last_words(); !words.empty()) {
      why_ += ": " + words;
    }
  }
  pid_ = -1;
  paused_ = stopping_ = expected_ = false;
}

/// The last complaint in its log, of several lines the first; else the last line.
std::string NodeProcess::last_words() const {
  std::ifstream in(log_);
  in.seekg(static_cast<std::streamoff>(log_begin_));
  std::string last, complaint;
  bool goes_on = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      continue;
    }
    last = line;
    const bool complains =
        line.find("level=") == std::string::npos || line.find("level=error") != std::string::npos;
    if (complains && !goes_on) {
      complaint = line;
    }
    goes_on = complains && line.find("level=") == std::string::npos;
  }
  return complaint.empty() ? last : complaint;
}

}  // namespace kiwi::lab
