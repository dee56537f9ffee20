#pragma once

#include <rocksdb/listener.h>

#include <memory>

namespace kiwi::storage {

/// For Options::listeners of every database here. Without it RocksDB 7.8 answers a full disk by a thread of
/// its own that waits for space by the real clock and then flushes behind our back
/// (ErrorHandler::RecoverFromNoSpace; max_bgerror_resume_count does not reach it). What failed stays failed
/// here until the database is closed: the owner decides whether it is opened again (rule 4). Closing would
/// also wait for that thread, for ever where a simulation runs RocksDB's jobs.
std::shared_ptr<rocksdb::EventListener> no_auto_resume();

}  // namespace kiwi::storage
