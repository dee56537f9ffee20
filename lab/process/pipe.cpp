#include "lab/process/pipe.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lab/formats/newer_offer.hpp"

namespace kiwi::lab {
namespace {

/// Between two pieces of a sliced stream: they must not become one segment again.
constexpr Time kBetweenSlices = std::chrono::microseconds(200);
/// A frame that is overtaken waits up to so much longer.
constexpr Time kOvertaken = std::chrono::milliseconds(5);

/// The others belong to the connection: without them, or twice, it is an error of the protocol.
bool is_message(std::string_view kind) { return kind != "hello" && kind != "bytes"; }

bool take_one(ProxyFaults::Counts& counts, std::string_view kind) {
  for (const auto key : {kind, std::string_view("any")}) {
    if (const auto found = counts.find(key); found != counts.end()) {
      if (--found->second == 0) {
        counts.erase(found);
      }
      return true;
    }
  }
  return false;
}

}  // namespace

Pipe::Pipe(Loop& loop, ProxyLink& link, ProxyCounts& counts, Host host)
    : loop_(loop), link_(link), counts_(counts), host_(std::move(host)) {}

Pipe::~Pipe() {
  loop_.cancel(waker_);
  loop_.cancel(stall_);
  loop_.cancel(give_up_);
}

void Pipe::feed(std::string_view bytes) {
  cutter_.feed(bytes);
  while (auto frame = cutter_.next()) {
    ++counts_.frames;
    counts_.bytes += frame->bytes.size();
    host_.seen(link_, *frame);
    admit(std::move(*frame));
  }
}

void Pipe::end() {
  ended_ = true;
  if (auto rest = cutter_.rest(); !rest.empty() && !broken_ && !swallows_) {
    queue("bytes", std::move(rest), true);
  }
  watch_stall();
}

void Pipe::swallow() {
  swallows_ = true;
  queue_.clear();
  held_.clear();
  bytes_ = 0;
}

void Pipe::admit(CutFrame frame) {
  auto& f = link_.faults;
  if (swallows_) {
    if (give_up_ == 0) {
      give_up_ = loop_.at(loop_.now() + kStall, [this] { host_.give_up("half open"); });
    }
    return;
  }
  if (broken_) {
    return;
  }
  const bool message = is_message(frame.kind);
  const bool alone = link_.lossy && message;
  if (take_one(f.drop_next, frame.kind) ||
      (f.drop.concern(frame.kind) && happens(link_.drop.next(), f.drop.p)) ||
      (alone && link_.loss > 0 && happens(link_.drop.next(), link_.loss))) {
    ++counts_.dropped;
    if (alone) {
      return;
    }
    broken_ = true;
    give_up_ = loop_.at(loop_.now() + kGiveUp, [this] { host_.give_up("a frame was lost"); });
    return;
  }
  if (take_one(f.hold, frame.kind)) {
    ++counts_.held;
    bytes_ += frame.bytes.size();
    held_.push_back({frame.kind, std::move(frame.bytes)});
    return;
  }
  if (f.newer_offers && frame.kind == "snapshot") {
    if (auto newer = newer_offer(frame.bytes)) {
      frame.bytes = std::move(*newer);
      ++counts_.newer;
    }
  }
  if (f.corrupt.concern(frame.kind) && happens(link_.corrupt.next(), f.corrupt.p)) {
    ++counts_.corrupted;
    const auto bit = below(link_.corrupt.next(), frame.bytes.size() * 8);
    frame.bytes[bit / 8] = static_cast<char>(frame.bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  if (message && (take_one(f.duplicate_next, frame.kind) ||
                  (f.duplicate.concern(frame.kind) && happens(link_.duplicate.next(), f.duplicate.p)) ||
                  (link_.double_odds > 0 && happens(link_.duplicate.next(), link_.double_odds)))) {
    ++counts_.duplicated;
    queue(frame.kind, frame.bytes, true);
  }
  const bool overtaken =
      message && f.reorder.concern(frame.kind) && happens(link_.reorder.next(), f.reorder.p);
  counts_.reordered += overtaken ? 1 : 0;
  queue(frame.kind, std::move(frame.bytes), !overtaken);
}

Time Pipe::due(std::string_view kind, std::size_t bytes, bool in_order) {
  const auto& f = link_.faults;
  Time at = loop_.now();
  if (f.bandwidth > 0) {
    at = link_.busy_until =
        std::max(at, link_.busy_until) + Time(static_cast<std::int64_t>(bytes * 1'000'000'000 / f.bandwidth));
  }
  const auto draw = [this](Time most) {
    return Time(
        static_cast<std::int64_t>(below(link_.delay.next(), static_cast<std::uint64_t>(most.count()) + 1)));
  };
  if (link_.latency.second > Time{0}) {
    at += link_.latency.first + draw(link_.latency.second - link_.latency.first);
  }
  if (f.delay.second > Time{0} && (f.delay_kind == "any" || f.delay_kind == kind)) {
    at += f.delay.first + draw(f.delay.second - f.delay.first);
  }
  if (f.jitter > Time{0}) {
    at += draw(f.jitter);
  }
  if (!in_order) {
    return std::max(at, last_due_) + draw(kOvertaken);
  }
  if (link_.lossy && is_message(kind)) {
    return std::max(at, last_due_);  // others may overtake it, but it comes behind the Hello
  }
  return last_due_ = std::max(at, last_due_);
}

void Pipe::queue(std::string_view kind, std::string bytes, bool in_order) {
  bytes_ += bytes.size();
  const Time when = due(kind, bytes.size(), in_order);
  queue_.emplace(when, Out{kind, std::move(bytes)});
  watch_stall();
}

void Pipe::push_again(std::string_view kind, std::string bytes) {
  if (!swallows_ && !broken_) {
    queue(kind, std::move(bytes), true);
    wake();
  }
}

std::size_t Pipe::release(std::string_view kind) {
  std::size_t released = 0;
  for (auto i = held_.begin(); i != held_.end();) {
    if (kind != "any" && i->kind != kind) {
      ++i;
      continue;
    }
    bytes_ -= i->bytes.size();
    queue(i->kind, std::move(i->bytes), true);
    i = held_.erase(i);
    ++released;
  }
  if (released > 0) {
    wake();
  }
  return released;
}

/// While nothing may pass but something waits to.
void Pipe::watch_stall() {
  const bool waits = !queue_.empty() || !current_.empty() || ended_;
  if (!link_.faults.stopped() || !waits) {
    loop_.cancel(std::exchange(stall_, 0));
  } else if (stall_ == 0) {
    stall_ = loop_.at(loop_.now() + kStall, [this] {
      stall_ = 0;
      host_.give_up("no progress");
    });
  }
}

void Pipe::wake_at(Time when) {
  if (waker_ != 0 && wakes_at_ <= when) {
    return;
  }
  loop_.cancel(waker_);
  wakes_at_ = when;
  waker_ = loop_.at(when, [this] {
    waker_ = 0;
    wake();
  });
}

/// False: the destination takes no more.
bool Pipe::write_some() {
  const auto left = current_.size() - written_;
  const auto slice = link_.faults.slice;
  const auto size = slice == 0 ? left : std::min<std::size_t>(left, slice);
  const auto sent = ::send(to_->get(), current_.data() + written_, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    // What is wrong with the socket its reader hears as well.
    return errno == EINTR;
  }
  written_ += static_cast<std::size_t>(sent);
  if (written_ == current_.size()) {
    current_.clear();
    written_ = 0;
  }
  return static_cast<std::size_t>(sent) == size;
}

bool Pipe::pump() {
  watch_stall();
  if (to_ == nullptr || link_.faults.stopped() || swallows_) {
    return false;
  }
  for (;;) {
    if (current_.empty()) {
      if (queue_.empty()) {
        break;
      }
      const auto first = queue_.begin();
      if (first->first > loop_.now()) {
        wake_at(first->first);
        return false;
      }
      bytes_ -= first->second.bytes.size();
      if (first->second.kind != "hello" && first->second.bytes.size() <= ProxyLink::kRememberedBytes) {
        link_.passed.push_back({first->second.kind, first->second.bytes});
        if (link_.passed.size() > ProxyLink::kRemembered) {
          link_.passed.pop_front();
        }
      }
      current_ = std::move(first->second.bytes);
      queue_.erase(first);
    }
    if (!write_some()) {
      return true;
    }
    if (link_.faults.slice != 0 && (!current_.empty() || !queue_.empty())) {
      wake_at(loop_.now() + kBetweenSlices);
      return false;
    }
  }
  if (ended_ && held_.empty()) {
    host_.drained();  // may destroy this
  }
  return false;
}

}  // namespace kiwi::lab
