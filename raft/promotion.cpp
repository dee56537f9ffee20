#include "raft/promotion.hpp"

#include <algorithm>

namespace kiwi::raft {

void Promotion::look(std::uint64_t now_ticks, Index match, Index last, bool follows) {
  const auto begin = [&] {
    begun_ = true;
    end_ = last;
    began_ticks_ = now_ticks;
  };
  if (!follows) {
    begun_ = false;
    rounds_ = 0;
    return;
  }
  if (!begun_) {
    begin();
    return;
  }
  const bool short_enough = now_ticks - began_ticks_ < round_ticks_;
  if (match >= end_) {
    rounds_ = short_enough ? std::min(rounds_ + 1, kRounds) : 0;
    begin();
  } else if (!short_enough) {
    rounds_ = 0;
  }
}

}  // namespace kiwi::raft
