#include "tests/unit/statemachine/random_history.hpp"

#include <string>
#include <vector>

#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  Entry next(std::uint64_t index) {
    Entry entry;
    entry.id = {Term(1 + index / 1000), Index(index)};
    if (pick(3) == 0)
      stamp_ms_ += pick(200);
    entry.stamp_ms = stamp_ms_;
    switch (pick(40)) {
      case 0:
        entry.kind = EntryKind::tick;
        return entry;
      case 1:
        entry.kind = EntryKind::blank;
        return entry;
      case 2:
        entry.kind = EntryKind::membership;
        entry.payload = Bytes(encode_membership(membership_of({{NodeId(1 + pick(5)), {"host", 1, 2}}})));
        return entry;
      default:
        entry.kind = EntryKind::command;
        entry.payload = encode_request({command_of(command())});
        return entry;
    }
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  std::string key() { return "key" + std::to_string(pick(60)); }
  std::string value() {
    return pick(2) == 0 ? std::to_string(pick(1000))
                        : std::string(pick(80), static_cast<char>('a' + pick(26)));
  }
  std::string delay() { return std::to_string(1 + pick(3000)); }

  std::vector<std::string> command() {
    switch (pick(24)) {
      case 0:
      case 1:
      case 2:
        return {"SET", key(), value()};
      case 3:
      case 4:
      case 5:
        return {"SET", key(), value(), "PX", delay()};
      case 6:
        return {"SET", key(), value(), "NX", "GET"};
      case 7:
        return {"SET", key(), value(), "KEEPTTL"};
      case 8:
        return {"INCR", key()};
      case 9:
        return {"INCRBYFLOAT", key(), std::to_string(pick(1000)) + "." + std::to_string(pick(1000))};
      case 10:
        return {"APPEND", key(), value()};
      case 11:
        return {"SETRANGE", key(), std::to_string(pick(50)), value()};
      case 12:
      case 13:
        return {"DEL", key(), key()};
      case 14:
        return {"RENAME", key(), key()};
      case 15:
        return {"COPY", key(), key(), "REPLACE"};
      case 16:
      case 17:
        return {"PEXPIRE", key(), delay(), pick(2) == 0 ? "LT" : "GT"};
      case 18:
        return {"PERSIST", key()};
      case 19:
        return {"MSET", key(), value(), key(), value()};
      case 20:
        return {"GETEX", key(), "PX", delay()};
      case 21:
        return {pick(2) == 0 ? "SCAN" : "PTTL", pick(2) == 0 ? "0" : "1"};
      case 22:
        return {pick(2) == 0 ? "RANDOMKEY" : "DBSIZE"};
      default:
        if (pick(40) == 0)
          return {"FLUSHALL"};
        return {pick(2) == 0 ? "GETDEL" : "GET", key()};
    }
  }

  std::mt19937_64 random_;
  std::uint64_t stamp_ms_ = 1'700'000'000'000;
};

}  // namespace

std::vector<Entry> random_history(std::uint64_t seed, std::size_t entries) {
  History history(seed);
  std::vector<Entry> all;
  for (std::size_t i = 1; i <= entries; ++i) all.push_back(history.next(i));
  return all;
}

}  // namespace kiwi::test
