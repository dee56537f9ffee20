#pragma once

// What the operating system knows about this process: the door for INFO's figures.

#include <functional>
#include <memory>
#include <string>

#include "node/options.hpp"
#include "server/environment.hpp"
#include "storage/log_store.hpp"

namespace kiwi {

/// The fixed part; `run_id` is drawn here.
std::shared_ptr<const ServerEnvironment> make_environment(const NodeOptions& options,
                                                          const storage::Identity& identity);
/// Asks the system each time it is called. Callable from any thread.
std::function<ProcessFigures()> make_process_probe();

}  // namespace kiwi
