#include "node/descriptors.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>

namespace kiwi {

std::uint32_t clients_that_fit(std::uint32_t wanted, spdlog::logger& log) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return wanted;
  const rlim_t needed = wanted + kReservedDescriptors;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? needed : std::min<rlim_t>(limit.rlim_max, needed);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed)
    return wanted;
  auto fit = limit.rlim_cur > kReservedDescriptors ? limit.rlim_cur - kReservedDescriptors : 16;
  log.warn("event=max_clients_lowered wanted={} allowed={} open_files_limit={} reserved={}", wanted, fit,
           limit.rlim_cur, kReservedDescriptors);
  return static_cast<std::uint32_t>(fit);
}

}  // namespace kiwi
