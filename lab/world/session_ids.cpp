#include "lab/world/session_ids.hpp"

#include <cstdint>
#include <string>

#include "lab/chance.hpp"

namespace {
thread_local std::uint64_t sessions = 0;
}  // namespace

namespace kiwi::lab {
void count_sessions_anew() { sessions = 0; }
}  // namespace kiwi::lab

// The dynamic linker takes this one for RocksDB's own of the same name. 20 digits of base 36, as that has.
namespace rocksdb {
class Env;
class DBImpl {
 public:
  static std::string GenerateDbSessionId(Env* env);
};

std::string DBImpl::GenerateDbSessionId(Env*) {
  std::string id;
  auto bits = kiwi::lab::mix(++sessions);
  for (int digit = 0; digit < 20; ++digit) {
    id += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[bits % 36];
    bits = digit % 10 == 9 ? kiwi::lab::mix(bits + sessions) : bits / 36;
  }
  return id;
}
}  // namespace rocksdb
