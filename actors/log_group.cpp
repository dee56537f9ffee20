#include "actors/log_group.hpp"

#include <iterator>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi {

namespace {
void deliver(LogGroup::Caller& caller, std::vector<LogWritten> written) {
  if (auto* one = std::get_if<caf::typed_response_promise<LogWritten>>(&caller.promise))
    one->deliver(written.front());
  else
    std::get<caf::typed_response_promise<LogWrittenGroup>>(caller.promise)
        .deliver(LogWrittenGroup{std::move(written)});
}
}  // namespace

void LogGroup::add(LogWrite& write, caf::typed_response_promise<LogWritten> promise) {
  writes.push_back(std::move(write));
  callers.push_back({1, std::move(promise)});
}

void LogGroup::add(LogWriteGroup& group, caf::typed_response_promise<LogWrittenGroup> promise) {
  KIWI_ASSERT(!group.writes.empty(), "somebody who writes nothing waits for nothing");
  callers.push_back({group.writes.size(), std::move(promise)});
  std::move(group.writes.begin(), group.writes.end(), std::back_inserter(writes));
}

void LogGroup::answer(LogId before, LogId after) {
  LogId last = before;
  auto write = writes.begin();
  for (auto& caller : callers) {
    std::vector<LogWritten> written;
    written.reserve(caller.writes);
    for (std::size_t i = 0; i < caller.writes; ++i, ++write) {
      KIWI_ASSERT(!write->truncate_from || !write->entries.empty(),
                  "a truncation comes with what replaces it");
      if (write->reset_to != LogId{})
        last = write->reset_to;
      if (!write->entries.empty())
        last = write->entries.back().id;
      written.push_back(LogWritten{write->stamp, write->write, last});
    }
    deliver(caller, std::move(written));
  }
  KIWI_ASSERT(write == writes.end(), "every write of the group has a caller");
  KIWI_ASSERT(after == last, "the log ends with the last entry of the last write");
}

void LogGroup::fail(const caf::error& error) {
  for (auto& caller : callers) std::visit([&](auto& promise) { promise.deliver(error); }, caller.promise);
}

}  // namespace kiwi
