// Entries have a column family of their own in format 2, and lie with all else in format 1. Both are written
// and read; what lies in a family where it must not be is damage.

#include <rocksdb/convenience.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "log_testing.hpp"
#include "messages/codec.hpp"
#include "storage/log_database.hpp"
#include "storage/log_format.hpp"
#include "storage/log_marker.hpp"
#include "storage/log_recovery.hpp"
#include "storage/log_shape.hpp"
#include "storage/verify_log.hpp"

namespace kiwi::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kPayloadBytes = 4096;

LogStoreOptions at(const std::string& dir, std::uint32_t format) {
  auto options = storage::at(dir);
  options.format = format;
  return options;
}

std::vector<std::string> families_in(const std::string& dir) {
  std::vector<std::string> names;
  EXPECT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::Options(), dir, &names).ok());
  return names;
}

/// The first letters of the keys of a family, each once.
std::string letters(const LogDatabase& db, rocksdb::ColumnFamilyHandle* family) {
  std::string seen;
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}, family));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (seen.find(it->key()[0]) == std::string::npos) {
      seen += it->key()[0];
    }
  }
  return seen;
}

/// Waits for what RocksDB's threads do; false after a minute.
bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

class LogFormats : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  LogStoreOptions options() const { return at(dir_.path(), GetParam()); }
  TempDir dir_;
};

TEST_P(LogFormats, ALogStaysWhatItWasMadeAsAndGoesOn) {
  ASSERT_TRUE(LogStore::create(options(), some_identity()));
  // As a program does it that makes logs of the newest format.
  const auto newest = storage::at(dir_.path());
  {
    Opened opened(newest);
    ASSERT_TRUE(opened) << why(opened.error);
    ASSERT_TRUE(opened->write({append(1, 20), vote(1, 1), bind(2, 22)}));
    ASSERT_TRUE(opened->write({truncate(15), append(15, 18, 2)}));
    ASSERT_TRUE(opened->write({purge(5)}));
  }
  {
    Opened opened(newest);
    ASSERT_TRUE(opened) << why(opened.error);
    EXPECT_EQ(opened.found.purged, log_id(1, 5));
    EXPECT_EQ(opened.found.last, log_id(2, 18));
    EXPECT_EQ(opened.found.entries, 13u);
    EXPECT_EQ(opened.found.bindings.size(), 1u);
    EXPECT_THAT(opened.found.runs.size(), 2u);
    const auto read = opened->read(Index(14), Index(16), kMiB);
    ASSERT_TRUE(read) << why(read);
    EXPECT_EQ(*read, (std::vector<Entry>{entry(14), entry(15, 2), entry(16, 2)}));
    ASSERT_TRUE(opened->write({reset(3, 40), append(41, 42, 3)}));
    EXPECT_TRUE(opened->scrub(kMiB));
  }
  const auto report = verify_log(newest, {});
  EXPECT_TRUE(report.findings.empty());
  ASSERT_TRUE(report.recovered);
  EXPECT_EQ(report.recovered->last, log_id(3, 42));
  const auto marker = read_marker(*rocksdb::Env::Default(), dir_.path());
  ASSERT_TRUE(marker);
  EXPECT_EQ(marker->format, GetParam());
}

TEST_P(LogFormats, EntriesLieWhereTheFormatSays) {
  ASSERT_TRUE(LogStore::create(options(), some_identity()));
  {
    Opened opened(options());
    ASSERT_TRUE(opened) << why(opened.error);
    ASSERT_TRUE(opened->write({append(1, 3), bind(2, 22)}));
  }
  const auto db = LogDatabase::open_read_only(options(), GetParam());
  ASSERT_TRUE(db) << why(db);
  if (GetParam() == 1) {
    EXPECT_THAT(families_in(dir_.path()), ElementsAre("default"));
    EXPECT_EQ(letters(*db, db->entries()), "beis");
  } else {
    EXPECT_THAT(families_in(dir_.path()), ElementsAre("default", "entries"));
    EXPECT_EQ(letters(*db, db->entries()), "e");
  }
  EXPECT_EQ(letters(*db, (*db)->DefaultColumnFamily()), GetParam() == 1 ? "beis" : "bis");
}

TEST_P(LogFormats, ASpoiltMarkerHidesNothingElseFromAnInspection) {
  ASSERT_TRUE(LogStore::create(options(), some_identity()));
  {
    Opened opened(options());
    ASSERT_TRUE(opened) << why(opened.error);
    ASSERT_TRUE(opened->write({append(1, 3)}));
  }
  write_file(dir_.path() + "/KIWI-LOG", "kiwi log store\nspoilt\n");
  const auto report = verify_log(options(), {});
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].what, "marker of the log");
  ASSERT_TRUE(report.state && report.identity);
  EXPECT_EQ(report.state->last, log_id(1, 3));
}

TEST_P(LogFormats, PurgedTablesLeaveTheDisk) {
  auto options = this->options();
  options.write_buffer_bytes = kMiB;
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  Opened opened(options);
  ASSERT_TRUE(opened) << why(opened.error);
  std::uint64_t last = 0;
  const auto write_until = [&](std::uint64_t end) {
    while (last < end) {
      ++last;
      ASSERT_TRUE(opened->write({append({entry(last, 1, std::string(kPayloadBytes, 'x'))})}));
    }
  };
  write_until(8192);  // 32 MiB
  EXPECT_GT(opened->disk_bytes(), 30 * kMiB);
  ASSERT_TRUE(opened->write({purge(last)}));
  // What was in memory, or in a table that nothing was moved below yet, leaves with what comes next.
  write_until(8192 + 2560);
  ASSERT_TRUE(opened->write({purge(last)}));
  // Format 1 also keeps what waits on the first level until there are four tables: 11 MiB were seen.
  const auto most = (GetParam() == 1 ? 20 : 8) * kMiB;
  EXPECT_TRUE(eventually([&] { return opened->disk_bytes() < most; })) << opened->disk_bytes();
}

INSTANTIATE_TEST_SUITE_P(Format, LogFormats, ::testing::Values(1, 2),
                         [](const auto& tested) { return std::to_string(tested.param); });

TEST(LogFamilies, AMarkerOfTheOtherFormatIsDamage) {
  for (const std::uint32_t format : {1u, 2u}) {
    SCOPED_TRACE(format);
    TempDir dir, other;
    ASSERT_TRUE(LogStore::create(at(dir.path(), format), some_identity()));
    ASSERT_TRUE(LogStore::create(at(other.path(), 3 - format), some_identity()));
    write_file(dir.path() + "/KIWI-LOG", read_file(other.path() + "/KIWI-LOG"));
    Opened opened(storage::at(dir.path()));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error.kind, StorageKind::corruption);
    EXPECT_THAT(opened.error.cause, HasSubstr("column families are not those of format " +
                                              std::to_string(3 - format) + ": default"));
  }
}

/// Ten entries in a log of a format, and then a good batch that no store writes.
class ForeignFamily : public ::testing::Test {
 protected:
  using Adds = std::function<void(rocksdb::WriteBatch&, LogDatabase&)>;

  /// What the store says to a batch whose state is as it must be and that also holds what `add` puts in.
  std::string refusal(std::uint32_t format, bool in_a_table, const Adds& add, std::uint64_t entries = 0) {
    TempDir dir;
    const auto options = at(dir.path(), format);
    EXPECT_TRUE(LogStore::create(options, some_identity()));
    {
      Opened opened(options);
      EXPECT_TRUE(opened->write({append(1, 10), bind(2, 22)}));
    }
    {
      auto db = LogDatabase::open(options, format);
      EXPECT_TRUE(db) << why(db);
      auto state = read_state(**db);
      EXPECT_TRUE(state);
      ++state->serial;
      state->last.index = state->last.index + entries;
      rocksdb::WriteBatch batch;
      put_state(batch, *state);
      add(batch, *db);
      rocksdb::WriteOptions synced;
      synced.sync = true;
      EXPECT_TRUE((*db)->Write(synced, &batch).ok());
    }
    if (in_a_table) {
      EXPECT_TRUE(LogDatabase::open(options, format)) << "RocksDB itself takes anything";
    }
    const auto before = read_file(dir.path() + "/CURRENT");
    Opened opened(options);
    if (opened) {
      return "opened with " + to_string(opened->last().index);
    }
    EXPECT_EQ(read_file(dir.path() + "/CURRENT"), before) << "a refusal changes nothing";
    EXPECT_EQ(opened.error.kind, StorageKind::corruption);
    return opened.error.cause;
  }
};

TEST_F(ForeignFamily, TheSameWithNothingForeignOpens) {
  const Adds add = [](auto& batch, auto& db) {
    ASSERT_TRUE(batch.Put(db.entries(), entry_key(Index(11)), encode_entry(entry(11))).ok());
  };
  for (const std::uint32_t format : {1u, 2u}) {
    EXPECT_EQ(refusal(format, false, add, 1), "opened with 11");
    EXPECT_EQ(refusal(format, true, add, 1), "opened with 11");
  }
}

TEST_F(ForeignFamily, AnEntryAmongTheStatesIsDamage) {
  const Adds add = [](auto& batch, auto&) {
    ASSERT_TRUE(batch.Put(entry_key(Index(11)), encode_entry(entry(11))).ok());
  };
  EXPECT_THAT(refusal(2, false, add, 1), HasSubstr("entry 11 is in column family 0 and must be in 1"));
  EXPECT_THAT(refusal(2, true, add, 1), HasSubstr("an entry outside the column family of entries"));
  EXPECT_THAT(refusal(2, true, add, 0), HasSubstr("an entry outside the column family of entries"));
}

TEST_F(ForeignFamily, ATruncationAmongTheStatesIsDamage) {
  const Adds add = [](auto& batch, auto&) {
    ASSERT_TRUE(batch.DeleteRange(entry_key(Index(9)), entry_key(Index(11))).ok());
  };
  EXPECT_THAT(refusal(2, false, add), HasSubstr("entry 9 is in column family 0 and must be in 1"));
}

TEST_F(ForeignFamily, ABindingAmongTheEntriesIsDamage) {
  const Adds add = [](auto& batch, auto& db) {
    const PeerBinding binding{NodeId(2), InstanceId(22)};
    ASSERT_TRUE(batch.Put(db.entries(), binding_key(NodeId(2)), encode_binding(binding)).ok());
  };
  EXPECT_EQ(refusal(1, false, add), "opened with 10") << "one family has them all";
  EXPECT_THAT(refusal(2, false, add), HasSubstr("a peer binding is in column family 1 and must be in 0"));
  EXPECT_THAT(refusal(2, true, add), HasSubstr("a key among the entries that is not that of an entry"));
}

TEST_F(ForeignFamily, AnOperationThatNoLogHasIsDamage) {
  const Adds add = [](auto& batch, auto& db) {
    ASSERT_TRUE(batch.SingleDelete(db.entries(), entry_key(Index(11))).ok());
  };
  EXPECT_THAT(refusal(1, false, add), HasSubstr("an operation that no log has"));
  EXPECT_THAT(refusal(2, false, add), HasSubstr("an operation that no log has"));
}

/// RocksDB leaves such records out without a word when it recovers.
TEST_F(ForeignFamily, ARecordOfAFamilyThatIsGoneIsDamage) {
  for (const std::uint32_t format : {1u, 2u}) {
    for (const bool dropped : {true, false}) {
      const Adds add = [&](auto& batch, auto& db) {
        rocksdb::ColumnFamilyHandle* other = nullptr;
        ASSERT_TRUE(db->CreateColumnFamily({}, "other", &other).ok());
        const std::unique_ptr<rocksdb::ColumnFamilyHandle> owned(other);
        ASSERT_TRUE(batch.Put(other, "m", "something").ok());
        if (dropped) {
          // The record is in the log before the family goes.
          rocksdb::WriteBatch now = batch;
          rocksdb::WriteOptions synced;
          synced.sync = true;
          ASSERT_TRUE(db->Write(synced, &now).ok());
          ASSERT_TRUE(db->DropColumnFamily(other).ok());
          batch.Clear();
        }
      };
      EXPECT_THAT(refusal(format, false, add),
                  HasSubstr(dropped ? "the membership as of the purge point is in column family " +
                                          std::to_string(format) + " and must be in 0"
                                    : "column families are not those of format " + std::to_string(format)));
    }
  }
}

/// What RocksDB did with the tables of entries below the first level.
struct Work {
  double merges = 0;
  double moved_gb = 0;
};

Work work_on_entries(const LogDatabase& db) {
  std::map<std::string, std::string> stats;
  EXPECT_TRUE(db->GetMapProperty(db.entries(), rocksdb::DB::Properties::kCFStats, &stats));
  Work work;
  for (const char* level : {"L1", "L2", "L3"}) {
    const auto of = [&](const char* name) {
      const auto found = stats.find(std::string("compaction.") + level + "." + name);
      return found == stats.end() ? 0.0 : std::stod(found->second);
    };
    work.merges += of("CompCount");
    work.moved_gb += of("MovedGB");
  }
  return work;
}

/// 48 MiB of entries through memtables of 1 MiB, as the store writes them.
void write_many(LogDatabase& db, bool truncates) {
  LogState before;
  before.instance = InstanceId(77);
  for (std::uint64_t i = 1; i <= 12'288; ++i) {
    auto after = before;
    ++after.serial;
    std::vector<LogWrite> steps;
    if (truncates && i % 400 == 0) {
      steps.push_back(truncate(i - 300));
      for (auto again = i - 300; again < i; ++again) {
        steps.push_back(append({entry(again, 2, std::string(kPayloadBytes, 'y'))}));
      }
    }
    steps.push_back(append({entry(i, 1, std::string(kPayloadBytes, 'x'))}));
    after.last = log_id(1, i);
    rocksdb::WriteBatch batch;
    put_steps(batch, db.entries(), before, after, steps);
    ASSERT_TRUE(db->Write({}, &batch).ok());
    before = after;
  }
}

bool all_below_the_first_level(const LogDatabase& db) {
  rocksdb::ColumnFamilyMetaData meta;
  db->GetColumnFamilyMetaData(db.entries(), &meta);
  return meta.levels.front().files.empty();
}

TEST(LogFamilies, EntriesInTheirOwnFamilyAreWrittenIntoTablesOnce) {
  TempDir dir;
  auto options = at(dir.path(), 2);
  options.write_buffer_bytes = kMiB;
  ASSERT_TRUE(LogStore::create(options, some_identity()));
  auto db = LogDatabase::open(options, 2, std::make_shared<PurgePoint>(0));
  ASSERT_TRUE(db) << why(db);
  write_many(*db, false);
  EXPECT_TRUE(eventually([&] { return all_below_the_first_level(*db); }));
  const auto work = work_on_entries(*db);
  EXPECT_EQ(work.merges, 0.0);
  EXPECT_GT(work.moved_gb, 0.04);
}

/// Or else the figures above mean nothing.
TEST(LogFamilies, WhereTheyLieWithTheStateOrWereTruncatedTheyAreMerged) {
  for (const std::uint32_t format : {1u, 2u}) {
    TempDir dir;
    auto options = at(dir.path(), format);
    options.write_buffer_bytes = kMiB;
    ASSERT_TRUE(LogStore::create(options, some_identity()));
    auto db = LogDatabase::open(options, format, std::make_shared<PurgePoint>(0));
    ASSERT_TRUE(db) << why(db);
    write_many(*db, format == 2);
    EXPECT_TRUE(eventually([&] { return work_on_entries(*db).merges > 0; })) << "format " << format;
  }
}

}  // namespace
}  // namespace kiwi::storage
