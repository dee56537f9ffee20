#include "storage/log_members.hpp"

#include "messages/assert.hpp"
#include "messages/codec.hpp"

namespace kiwi::storage {

void LogMembers::reset_to(const LogWrite& step) {
  later.clear();
  base.reset();
  if (step.reset_membership_id != LogId{}) {
    base.emplace(step.reset_membership_id, step.reset_membership);
  }
}

void LogMembers::truncate_from(Index first) {
  while (!later.empty() && later.back().first.index >= first) {
    later.pop_back();
  }
}

void LogMembers::append(const Entry& entry) {
  if (entry.kind != EntryKind::membership) {
    return;
  }
  auto membership = decode_membership(entry.payload.view());
  KIWI_ASSERT(membership.has_value(), "a membership entry that cannot be read");
  later.emplace_back(entry.id, std::move(*membership));
}

void LogMembers::purge_to(Index index) {
  auto first = later.begin();
  while (first != later.end() && first->first.index <= index) {
    base = std::move(*first);
    ++first;
  }
  later.erase(later.begin(), first);
}

}  // namespace kiwi::storage
