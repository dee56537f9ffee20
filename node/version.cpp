#include "node/version.hpp"

#include <rocksdb/version.h>
#include <caf/config.hpp>

namespace kiwi {

std::string version_text() {
  auto caf = std::to_string(CAF_VERSION / 10000) + "." + std::to_string(CAF_VERSION / 100 % 100) + "." +
             std::to_string(CAF_VERSION % 100);
  return std::string("kiwi-node ") + KIWI_VERSION + " (CAF " + caf + ", RocksDB " +
         std::to_string(ROCKSDB_MAJOR) + "." + std::to_string(ROCKSDB_MINOR) + "." +
         std::to_string(ROCKSDB_PATCH) + ")\n";
}

}  // namespace kiwi
