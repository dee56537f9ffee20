#pragma once

// Writes of the log that are put aside to be made durable together, and who waits for them.

#include <cstddef>
#include <variant>
#include <vector>

#include "actors/interfaces.hpp"

namespace kiwi {

struct LogGroup {
  /// Who waits for the next `writes` of the group.
  struct Caller {
    std::size_t writes = 0;
    std::variant<caf::typed_response_promise<LogWritten>, caf::typed_response_promise<LogWrittenGroup>>
        promise;
  };

  bool empty() const { return writes.empty(); }
  void add(LogWrite& write, caf::typed_response_promise<LogWritten> promise);
  /// Requires at least one write.
  void add(LogWriteGroup& group, caf::typed_response_promise<LogWrittenGroup> promise);
  /// All of it is durable: the log ended with `before`, and ends with `after`. Each answer names what its own
  /// write left, not what the group left (rule 3).
  void answer(LogId before, LogId after);
  void fail(const caf::error& error);

  std::vector<LogWrite> writes;
  std::vector<Caller> callers;  // in the order of `writes`, and for all of them
};

}  // namespace kiwi
