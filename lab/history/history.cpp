#include "lab/history/history.hpp"

#include <algorithm>
#include <utility>

#include "messages/assert.hpp"

namespace kiwi::lab::history {

std::uint64_t History::append(Operation operation) {
  operation.number = operations_.empty() ? 1 : operations_.back().number + 1;
  operation.invoked_order = ++events_;
  operation.returned_order = 0;
  operation.returned_at.reset();
  operation.reply.reset();
  operation.index.reset();
  operation.outcome = Outcome::unknown;
  operations_.push_back(std::move(operation));
  return operations_.back().number;
}

void History::complete(std::uint64_t number, Completion completion) {
  auto* operation = const_cast<Operation*>(find(number));
  KIWI_ASSERT(operation != nullptr, "an operation returns that was never called");
  KIWI_ASSERT(!operation->returned_at, "an operation returns twice");
  KIWI_ASSERT(completion.at >= operation->invoked_at, "an operation returns before its call");
  operation->returned_at = completion.at;
  operation->returned_order = ++events_;
  operation->outcome = completion.outcome;
  operation->reply = std::move(completion.reply);
  operation->index = completion.index;
}

void History::mark(std::string_view name, Time at) { markers_.push_back({std::string(name), at}); }

void History::surplus(std::uint64_t connection, Time at, Reply reply) {
  surplus_.push_back({connection, at, std::move(reply)});
}

void History::restore(Operation operation) {
  KIWI_ASSERT(operations_.empty() ? operation.number > 0 : operation.number > operations_.back().number,
              "operations are restored in ascending order of their numbers");
  events_ = std::max({events_, operation.invoked_order, operation.returned_order});
  operations_.push_back(std::move(operation));
}

const Operation* History::find(std::uint64_t number) const {
  // Recorded histories count from 1 without gaps.
  if (number > 0 && number <= operations_.size() && operations_[number - 1].number == number)
    return &operations_[number - 1];
  const auto at = std::lower_bound(operations_.begin(), operations_.end(), number,
                                   [](const Operation& o, std::uint64_t n) { return o.number < n; });
  return at != operations_.end() && at->number == number ? &*at : nullptr;
}

std::optional<Time> History::marked_at(std::string_view name) const {
  for (auto marker = markers_.rbegin(); marker != markers_.rend(); ++marker)
    if (marker->name == name)
      return marker->at;
  return std::nullopt;
}

}  // namespace kiwi::lab::history
