#pragma once

// Turns records of a node that is down into what a program of a later time would have written: the same
// content under the next format version, with right checksums. So that a start which refuses them does it
// because of the version, and not because they look damaged.

#include <functional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace rocksdb {
class Env;
}

namespace kiwi::lab {

/// `node_dir` is the directory of one node that does not run. `record` is one of
///   marker  DIR/log/KIWI-LOG
///   state   the log's state: vote, end, purge point
///   entry   the newest entry of the log
///   data    the row that names the format of the data database
/// `env` null: the real file system. `run_jobs` runs what the Env has queued (simulated ones only; may be
/// empty). Gives what was changed, in words; an error when there is no such record or it cannot be written.
tl::expected<std::string, std::string> make_newer(rocksdb::Env* env, const std::string& node_dir,
                                                  std::string_view record,
                                                  const std::function<void()>& run_jobs = {});

}  // namespace kiwi::lab
