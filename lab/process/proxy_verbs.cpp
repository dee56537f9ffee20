// Verbs on links, for the proxy.

#include <utility>

#include "lab/process/proxy.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

std::string word(const script::Action& action, std::size_t n, std::string fallback = {}) {
  return n < action.words.size() ? action.words[n] : std::move(fallback);
}

std::string option(const script::Action& action, const std::string& key, std::string fallback) {
  const auto found = action.options.find(key);
  return found == action.options.end() ? std::move(fallback) : found->second;
}

/// False: an argument is missing or not understood.
bool set_fault(ProxyFaults& f, const script::Action& action) {
  const auto& verb = action.verb;
  const auto kind = option(action, "kind", "any");
  if (verb == "cut") {
    f.cut = true;
  } else if (verb == "clog") {
    f.clogged = true;
  } else if (verb == "drop" || verb == "duplicate" || verb == "reorder" || verb == "corrupt") {
    const auto p = script::read_probability(word(action, 0));
    (verb == "drop"        ? f.drop
     : verb == "duplicate" ? f.duplicate
     : verb == "reorder"   ? f.reorder
                           : f.corrupt) = FrameOdds{p.value_or(0), kind};
    return p.has_value();
  } else if (verb == "delay") {
    const auto range = script::read_duration_range(word(action, 0));
    f.delay = range.value_or(f.delay);
    f.delay_kind = kind;
    return range.has_value();
  } else if (verb == "jitter") {
    const auto most = script::read_duration(word(action, 0));
    f.jitter = most.value_or(Time{0});
    return most.has_value();
  } else if (verb == "bandwidth") {
    const auto rate = script::read_byte_rate(word(action, 0));
    f.bandwidth = rate.value_or(0);
    return rate.has_value();
  } else if (verb == "slice") {
    const auto bytes = script::read_number(option(action, "bytes", "1"));
    f.slice = bytes.value_or(0);
    return f.slice > 0;
  } else if (verb == "newer-offers") {
    f.newer_offers = true;
  } else {
    const auto count = script::read_number(option(action, "count", "1"));
    auto* counts = verb == "hold"             ? &f.hold
                   : verb == "drop-next"      ? &f.drop_next
                   : verb == "duplicate-next" ? &f.duplicate_next
                                              : nullptr;
    if (counts == nullptr || !count) {
      return false;
    }
    (*counts)[word(action, 0, "any")] += *count;
  }
  return true;
}

}  // namespace

tl::expected<bool, std::string> Proxy::apply(NodeId from, NodeId to, const script::Action& action,
                                             std::map<std::string, std::string>& details) {
  auto& on = link(from, to);
  const auto before = on.faults;
  const auto& verb = action.verb;
  const auto told = [&](std::size_t hit) {
    details[on.name] = std::to_string(hit);
    return hit > 0;
  };
  if (verb == "heal") {
    on.faults = {};
    const auto released = release(on, "any");
    wake(on);
    return on.faults != before || released > 0;
  }
  if (verb == "reset") {
    return told(reset_all(on));
  }
  if (verb == "half-open") {
    return told(half_open(on));
  }
  if (verb == "release") {
    const auto kind = word(action, 0, "any");
    if (kind == "any") {
      on.faults.hold.clear();
    } else {
      on.faults.hold.erase(kind);
    }
    return told(release(on, kind)) || on.faults != before;
  }
  if (verb == "replay-old") {
    const auto count = script::read_number(option(action, "count", "1"));
    return told(replay(on, word(action, 0, "any"), count.value_or(1)));
  }
  if (!set_fault(on.faults, action)) {
    return tl::unexpected("'" + verb + "' lacks an argument or has one it does not understand");
  }
  wake(on);
  return on.faults != before;
}

}  // namespace kiwi::lab
