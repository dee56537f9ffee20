#pragma once

// A log store on a simulated machine.

#include <optional>
#include <stdexcept>
#include <utility>

#include "log_testing.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::storage {

inline constexpr const char* kDir = "/node/log";

/// A machine and its log store. Destroying it is a power failure.
struct Node {
  explicit Node(sim::SimDisk image = {}, std::uint64_t write_buffer_bytes = 4096)
      : machine(std::move(image)) {
    options.dir = kDir;
    options.env = &machine.env;
    options.simulated = true;
    options.write_buffer_bytes = write_buffer_bytes;
  }
  ~Node() { power_off(); }
  void power_off() {
    machine.power_off();
    opened.reset();
  }
  Result<void> create() { return LogStore::create(options, some_identity()); }
  bool open() {
    opened.reset();
    opened.emplace(options);
    return static_cast<bool>(*opened);
  }
  LogStore& store() {
    if (!opened || !*opened) {
      throw std::logic_error("the log store is not open");
    }
    return *opened->store;
  }
  const Recovered& found() const { return opened->found; }

  sim::SimMachine machine;
  LogStoreOptions options;
  std::optional<Opened> opened;
};

}  // namespace kiwi::storage
