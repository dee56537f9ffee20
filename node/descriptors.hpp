#pragma once

#include <cstdint>

namespace spdlog {
class logger;
}

namespace kiwi {

/// Descriptors that are not for clients: both databases (256 open tables each), peers, logs.
inline constexpr std::uint64_t kReservedDescriptors = 640;

/// Raises the soft limit of open files as far as needed and allowed. Answers how many clients fit: `wanted`,
/// or less with a warning, so that clients alone can never take the descriptors that the databases need.
std::uint32_t clients_that_fit(std::uint32_t wanted, spdlog::logger& log);

}  // namespace kiwi
