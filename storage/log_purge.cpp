#include "storage/log_purge.hpp"

#include <rocksdb/convenience.h>

#include <string>
#include <utility>

#include "storage/log_format.hpp"

namespace kiwi::storage {
namespace {

class PurgeFilter : public rocksdb::CompactionFilter {
 public:
  explicit PurgeFilter(std::uint64_t point) : point_(point) {}
  const char* Name() const override { return "KiwiPurge"; }
  bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice&, std::string*, bool*) const override {
    const auto view = key.ToStringView();
    return is_entry_key(view) && index_of_entry_key(view).value <= point_;
  }

 private:
  std::uint64_t point_;
};

class PurgeFilterFactory : public rocksdb::CompactionFilterFactory {
 public:
  explicit PurgeFilterFactory(std::shared_ptr<const PurgePoint> point) : point_(std::move(point)) {}
  const char* Name() const override { return "KiwiPurge"; }
  bool ShouldFilterTableFileCreation(rocksdb::TableFileCreationReason) const override { return true; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<PurgeFilter>(point_->load());
  }

 private:
  std::shared_ptr<const PurgePoint> point_;
};

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> purge_filter(std::shared_ptr<const PurgePoint> point) {
  return std::make_shared<PurgeFilterFactory>(std::move(point));
}

/// Outlives the PurgeJob when an Env cannot take a job back.
struct PurgeJob::Shared {
  std::mutex mutex;
  std::condition_variable idle;
  rocksdb::DB* db = nullptr;  // null: the database is being closed
  rocksdb::ColumnFamilyHandle* entries = nullptr;
  Index purged;
  bool waiting = false;
  bool running = false;
};

PurgeJob::PurgeJob(rocksdb::Env& env, rocksdb::DB& db, rocksdb::ColumnFamilyHandle* entries)
    : env_(env), shared_(std::make_shared<Shared>()) {
  shared_->db = &db;
  shared_->entries = entries;
}

PurgeJob::~PurgeJob() {
  {
    std::unique_lock lock(shared_->mutex);
    shared_->db = nullptr;
    shared_->idle.wait(lock, [this] { return !shared_->running; });
  }
  env_.UnSchedule(shared_.get(), rocksdb::Env::Priority::LOW);
}

void PurgeJob::purged_to(Index index) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->purged = index;
    if (shared_->waiting) {
      return;
    }
    shared_->waiting = true;
  }
  env_.Schedule(&PurgeJob::run, new std::shared_ptr<Shared>(shared_), rocksdb::Env::Priority::LOW,
                shared_.get(), &PurgeJob::take_back);
}

void PurgeJob::run(void* argument) {
  const std::unique_ptr<std::shared_ptr<Shared>> owned(static_cast<std::shared_ptr<Shared>*>(argument));
  auto& shared = **owned;
  std::unique_lock lock(shared.mutex);
  shared.waiting = false;
  if (shared.db == nullptr) {
    return;
  }
  shared.running = true;
  auto* const db = shared.db;
  auto* const entries = shared.entries;
  const auto last = entry_key(shared.purged);
  lock.unlock();
  const auto first = entry_key(Index(0));
  const rocksdb::Slice begin(first), end(last);
  // A failure here is a background error of RocksDB: the next write fails, and that poisons the store.
  rocksdb::DeleteFilesInRange(db, entries, &begin, &end, true).PermitUncheckedError();
  lock.lock();
  shared.running = false;
  shared.idle.notify_all();
}

void PurgeJob::take_back(void* argument) { delete static_cast<std::shared_ptr<Shared>*>(argument); }

}  // namespace kiwi::storage
