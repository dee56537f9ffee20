#include "statemachine/digest.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "statemachine/data_format.hpp"
#include "statemachine/engine/storage_failure.hpp"

namespace kiwi {
namespace {

constexpr std::uint64_t kSliceRows = 2000;
constexpr std::uint64_t kSliceBytes = 1u << 20;

void update(XXH3_state_t& hash, std::string_view bytes) {
  unsigned char length[8];
  for (int i = 0; i < 8; ++i)
    length[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(bytes.size()) >> (8 * i));
  XXH3_128bits_update(&hash, length, sizeof length);
  XXH3_128bits_update(&hash, bytes.data(), bytes.size());
}

}  // namespace

struct RowDigest::State {
  State() { XXH3_128bits_reset(hash); }
  ~State() { XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* hash = XXH3_createState();
};

RowDigest::RowDigest() : state_(std::make_unique<State>()) {}
RowDigest::~RowDigest() = default;

void RowDigest::add(std::string_view row, std::string_view value) {
  if (row == data_format::kFormatRow)
    return;
  if (row == data_format::kMembershipRow) {
    membership_ = value;
    return;
  }
  if (row == data_format::kStateRow && membership_) {
    const auto state = data_format::decode_state(value);
    if (!state || state->membership_id != LogId{}) {
      update(*state_->hash, data_format::kMembershipRow);
      update(*state_->hash, *membership_);
    }
    membership_.reset();
  }
  update(*state_->hash, row);
  update(*state_->hash, value);
}

std::string RowDigest::hex() const {
  const auto hash = XXH3_128bits_digest(state_->hash);
  char hex[33];
  std::snprintf(hex, sizeof hex, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return hex;
}

struct Digests::Job {
  Job(Database& d, Index i, std::uint64_t k) : database(d), index(i), keys(k), snapshot(d.pin()) {}
  ~Job() {
    rows.reset();
    database.unpin(snapshot);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  Database& database;
  Index index;
  std::uint64_t keys;
  const rocksdb::Snapshot* snapshot;
  std::unique_ptr<rocksdb::Iterator> rows;  // opened by the first slice
  RowDigest hash;
};

Digests::Digests(Database& database, std::size_t limit) : database_(database), limit_(limit) {}
Digests::~Digests() = default;

void Digests::request(Index index, std::uint64_t keys) {
  jobs_.push_back(std::make_unique<Job>(database_, index, keys));
  if (jobs_.size() > limit_)
    jobs_.pop_front();
}

bool Digests::work() {
  if (jobs_.empty())
    return false;
  auto& job = *jobs_.front();
  if (!job.rows) {
    job.rows = database_.iterate(nullptr, nullptr, job.snapshot);
    job.rows->SeekToFirst();
  }
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  for (; job.rows->Valid() && rows < kSliceRows && bytes < kSliceBytes; job.rows->Next(), ++rows) {
    job.hash.add(job.rows->key().ToStringView(), job.rows->value().ToStringView());
    bytes += job.rows->key().size() + job.rows->value().size();
  }
  if (job.rows->Valid())
    return true;
  if (!job.rows->status().ok())
    throw StorageFailure(state_machine_error(StorageVerb::read, job.rows->status(), "digest"));
  done_.push_back({job.index, job.hash.hex(), job.keys});
  if (done_.size() > limit_)
    done_.pop_front();
  jobs_.pop_front();
  return !jobs_.empty();
}

std::optional<StateDigest> Digests::find(Index index) const {
  const auto found =
      std::find_if(done_.begin(), done_.end(), [&](const StateDigest& d) { return d.index == index; });
  return found == done_.end() ? std::nullopt : std::optional(*found);
}

std::optional<StateDigest> digest_of_database(Database& database, const data_format::SystemState& state) {
  Digests now(database, 1);
  now.request(state.applied.index, state.keys);
  while (now.work()) {
  }
  return now.find(state.applied.index);
}

}  // namespace kiwi
