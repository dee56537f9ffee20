#include "storage/testing/faults.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace kiwi::sim {
namespace {

constexpr std::array<const char*, 10> kKinds = {"error",       "sync-drops", "full",       "read-only",
                                                "slow",        "hang",       "lost-write", "misdirected",
                                                "stale-block", "short-read"};
constexpr const char* kShortWrite = "short-write";

bool only_delays(FaultKind kind) { return kind == FaultKind::slow || kind == FaultKind::hang; }

/// What a fault without a named operation hits.
bool can_hit(FaultKind kind, DiskOp op) {
  switch (kind) {
    case FaultKind::error:
    case FaultKind::slow:
    case FaultKind::hang:
      return true;
    case FaultKind::sync_drops:
      return op == DiskOp::sync;
    case FaultKind::full:
      return op == DiskOp::append || op == DiskOp::create;
    case FaultKind::read_only:
      return op != DiskOp::read;
    case FaultKind::lost_write:
    case FaultKind::misdirected:
    case FaultKind::short_write:
      return op == DiskOp::append;
    case FaultKind::stale_block:
    case FaultKind::short_read:
      return op == DiskOp::read;
  }
  return false;
}

}  // namespace

const char* to_string(FaultKind kind) {
  const auto i = static_cast<std::size_t>(kind);
  return i < kKinds.size() ? kKinds[i] : kShortWrite;
}

std::optional<FaultKind> parse_fault_kind(std::string_view word) {
  for (std::size_t i = 0; i <= kKinds.size(); ++i) {
    if (word == to_string(static_cast<FaultKind>(i))) {
      return static_cast<FaultKind>(i);
    }
  }
  return std::nullopt;
}

void Faults::arm(Fault fault) {
  if (fault.name.empty()) {
    fault.name = to_string(fault.kind);
  }
  fired_.try_emplace(fault.name, 0);
  armed_.push_back({std::move(fault), 0});
}

bool Faults::disarm(std::string_view name) {
  return std::erase_if(armed_, [name](const Armed& armed) { return armed.fault.name == name; }) > 0;
}

bool Faults::is_armed(std::string_view name) const {
  return std::any_of(armed_.begin(), armed_.end(), [name](const Armed& a) { return a.fault.name == name; });
}

bool Faults::is_armed(FaultKind kind) const {
  return std::any_of(armed_.begin(), armed_.end(), [kind](const Armed& a) { return a.fault.kind == kind; });
}

bool Faults::disk_is_full() const {
  return std::any_of(armed_.begin(), armed_.end(), [](const Armed& a) {
    return a.fault.kind == FaultKind::full && !a.fault.op && a.fault.where == FileClass::any &&
           a.fault.in_path.empty() && a.fault.times == kAlways;
  });
}

bool Faults::takes(Armed& armed, DiskOp op, FileClass where, std::string_view path) {
  const auto& fault = armed.fault;
  if (fault.op ? *fault.op != op : !can_hit(fault.kind, op)) {
    return false;
  }
  if (fault.where != FileClass::any && fault.where != where) {
    return false;
  }
  if (!fault.in_path.empty() && path.find(fault.in_path) == std::string_view::npos) {
    return false;
  }
  ++armed.seen;
  if (armed.seen < fault.nth || armed.seen - fault.nth >= fault.times ||
      (armed.seen - fault.nth) % fault.every != 0) {
    return false;
  }
  count(fault.name);
  return true;
}

const Fault* Faults::hit(DiskOp op, FileClass where, std::string_view path) {
  for (auto& armed : armed_) {
    if (!only_delays(armed.fault.kind) && takes(armed, op, where, path)) {
      return &armed.fault;
    }
  }
  return nullptr;
}

void Faults::take_back(const Fault& fault) {
  for (auto& armed : armed_) {
    if (&armed.fault == &fault) {
      --armed.seen;
      --fired_[fault.name];
      --fired_in_all_;
    }
  }
}

Delay Faults::delay(DiskOp op, FileClass where, std::string_view path) {
  Delay sum;
  for (auto& armed : armed_) {
    if (only_delays(armed.fault.kind) && takes(armed, op, where, path)) {
      sum.us += armed.fault.delay_us;
      sum.hangs = sum.hangs || armed.fault.kind == FaultKind::hang;
    }
  }
  return sum;
}

std::uint64_t Faults::fired(std::string_view name) const {
  const auto i = fired_.find(name);
  return i == fired_.end() ? 0 : i->second;
}

void Faults::count(std::string_view name) {
  auto i = fired_.find(name);
  if (i == fired_.end()) {
    i = fired_.emplace(std::string(name), 0).first;
  }
  ++i->second;
  ++fired_in_all_;
}

}  // namespace kiwi::sim
