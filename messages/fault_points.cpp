#include "messages/fault_points.hpp"

#include "messages/fault_tables.hpp"

namespace kiwi::fault {

namespace {
MarkSink mark_sink = nullptr;
}

tl::expected<void, std::string> switch_on(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < std::size(kMutants); ++i) {
    if (kMutants[i].name == name) {
      mutants[i] = true;
      return {};
    }
    known += (known.empty() ? "" : ", ") + std::string(kMutants[i].name);
  }
  return tl::unexpected("there is no mutant '" + std::string(name) + "'; there are: " + known);
}

void all_off() { mutants.fill(false); }

void set_mark_sink(MarkSink sink) { mark_sink = sink; }

void pass(std::size_t mark) {
  if (mark_sink != nullptr)
    mark_sink(mark);
}

}  // namespace kiwi::fault
