#include "node/process.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdio>
#include <fstream>
#include <random>

#include "messages/limits.hpp"
#include "server/config_table.hpp"

namespace kiwi {

namespace {

std::uint64_t in_microseconds(const timeval& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_usec);
}

std::string absolute(const std::string& path) {
  char buffer[PATH_MAX];
  return ::realpath(path.c_str(), buffer) != nullptr ? std::string(buffer) : path;
}

std::string redis_log_level(const std::string& level) {
  if (level == "trace" || level == "debug")
    return "debug";
  return level == "info" ? "notice" : "warning";
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::shared_ptr<const ServerEnvironment> make_environment(const NodeOptions& options,
                                                          const storage::Identity& identity) {
  auto e = std::make_shared<ServerEnvironment>();
  e->kiwi_version = KIWI_VERSION;
  std::random_device device;
  for (int i = 0; i < 5; ++i) {
    char hex[9];
    std::snprintf(hex, sizeof hex, "%08x", device());
    e->run_id += hex;
  }
  e->redis_port = identity.address.redis_port;
  e->raft_port = identity.address.raft_port;
  utsname system{};
  if (::uname(&system) == 0)
    e->os = std::string(system.sysname) + " " + system.release + " " + system.machine;
  e->executable = absolute("/proc/self/exe");
  e->config_file = options.config.empty() ? "" : absolute(options.config);
  e->max_clients = options.max_clients;
  ConfigFacts facts;
  facts.port = identity.address.redis_port;
  facts.bind = options.bind.empty() ? identity.address.host : options.bind;
  facts.dir = absolute(options.dir);
  facts.log_level = redis_log_level(options.log_level);
  facts.max_clients = options.max_clients;
  facts.read_mode = options.read_mode;
  facts.client_query_buffer_limit = kMaxRequestBytes;
  e->config = config_table(facts);
  return e;
}

std::function<ProcessFigures()> make_process_probe() {
  using namespace std::chrono;
  return [start = steady_clock::now()] {
    ProcessFigures f;
    f.pid = static_cast<std::uint64_t>(::getpid());
    f.uptime_s = static_cast<std::uint64_t>(duration_cast<seconds>(steady_clock::now() - start).count());
    f.unix_time_us = static_cast<std::uint64_t>(
        duration_cast<std::chrono::microseconds>(system_clock::now().time_since_epoch()).count());
    f.rss_bytes = resident_bytes();
    const auto heap = ::mallinfo2();
    f.allocated_bytes = heap.uordblks + heap.hblkhd;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) {
      f.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
      f.cpu_system_us = in_microseconds(usage.ru_stime);
      f.cpu_user_us = in_microseconds(usage.ru_utime);
    }
    f.total_memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return f;
  };
}

}  // namespace kiwi
