#pragma once

// What the connections of a node know about the process they live in. server/ makes no system calls and reads
// no clock: all of this comes in through the door.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kiwi {

/// The Redis version whose commands and replies Kiwi speaks; clients look at it in HELLO and INFO.
inline constexpr std::string_view kRedisVersion = "7.0.15";

/// One parameter as CONFIG GET shows it.
struct ConfigParameter {
  std::string name;  // lower case
  std::string value;
};

/// Fixed for the life of the process; made by the node at start, shared by all connections.
struct ServerEnvironment {
  std::string kiwi_version;
  std::string run_id;  // 40 hex digits drawn at start
  std::uint16_t redis_port = 0;
  std::uint16_t raft_port = 0;
  std::string os;           // "Linux 6.1.0 x86_64"; empty: not shown
  std::string executable;   // empty: not shown
  std::string config_file;  // empty: none
  std::uint64_t max_clients = 0;
  std::vector<ConfigParameter> config;  // config_table.hpp makes it
};

/// Figures of the process at the moment of the question; filled by whoever asks the operating system
/// (the node's door), not by server/.
struct ProcessFigures {
  std::uint64_t pid = 0;
  std::uint64_t uptime_s = 0;
  std::uint64_t unix_time_us = 0;
  std::uint64_t allocated_bytes = 0;  // by malloc and its like (mallinfo2: uordblks + hblkhd)
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t total_memory_bytes = 0;  // of the machine; 0: not known, not shown
  std::uint64_t cpu_system_us = 0;       // getrusage, all threads
  std::uint64_t cpu_user_us = 0;
};

}  // namespace kiwi
