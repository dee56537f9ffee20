#include "storage/log_store.hpp"

#include "log_testing.hpp"
#include "messages/codec.hpp"

namespace kiwi::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// A store on the real file system, with steps to tell its story.
class LogStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = LogStore::create(options(), some_identity());
    ASSERT_TRUE(made) << why(made);
    reopen();
  }
  LogStoreOptions options() const { return at(dir_.path()); }
  void reopen() {
    opened_.reset();
    opened_ = std::make_unique<Opened>(options());
    ASSERT_TRUE(*opened_) << why(opened_->error);
  }
  LogStore& store() { return *opened_->store; }
  const Recovered& found() const { return opened_->found; }
  LogId write(std::vector<LogWrite> group) {
    const auto last = store().write(group);
    EXPECT_TRUE(last) << why(last);
    return last.value_or(LogId{});
  }
  std::vector<Entry> read(std::uint64_t first, std::uint64_t last, std::uint64_t max_bytes = 1u << 30) {
    const auto entries = store().read(Index(first), Index(last), max_bytes);
    EXPECT_TRUE(entries) << why(entries);
    return entries.value_or(std::vector<Entry>{});
  }

  TempDir dir_;
  std::unique_ptr<Opened> opened_;
};

TEST_F(LogStoreTest, ANewStoreIsEmptyAndKnowsWhoItIs) {
  EXPECT_EQ(found().identity.cluster, ClusterId(9));
  EXPECT_EQ(found().identity.node, NodeId(1));
  EXPECT_EQ(found().identity.instance, InstanceId(77));
  EXPECT_EQ(found().identity.address, (NodeAddress{"10.0.0.1", 7001, 17001}));
  EXPECT_EQ(found().identity.initial_membership, three_voters());
  EXPECT_EQ(found().vote, Vote{});
  EXPECT_EQ(found().last, LogId{});
  EXPECT_EQ(found().purged, LogId{});
  EXPECT_EQ(found().torn_bytes, 0u);
  EXPECT_THAT(found().runs, SizeIs(0));
  EXPECT_EQ(store().last(), LogId{});
}

TEST_F(LogStoreTest, WhatIsWrittenIsReadBackAndSurvivesARestart) {
  EXPECT_EQ(write({append(1, 3), vote(2, 3), append(4, 5, 2), bind(2, 222)}), log_id(2, 5));
  EXPECT_THAT(read(2, 5), ElementsAre(entry(2), entry(3), entry(4, 2), entry(5, 2)));
  reopen();
  EXPECT_EQ(found().last, log_id(2, 5));
  EXPECT_EQ(found().entries, 5u);
  EXPECT_EQ(found().vote, (Vote{Term(2), NodeId(3)}));
  EXPECT_EQ(found().last_stamp_ms, 1005u);
  EXPECT_THAT(found().runs, ElementsAre(TermRun{Term(1), Index(1)}, TermRun{Term(2), Index(4)}));
  EXPECT_THAT(found().bindings, ElementsAre(PeerBinding{NodeId(2), InstanceId(222)}));
  EXPECT_THAT(read(1, 5), ElementsAre(entry(1), entry(2), entry(3), entry(4, 2), entry(5, 2)));
}

TEST_F(LogStoreTest, EveryStepOfALongStorySurvivesARestart) {
  const std::vector<std::pair<std::vector<LogWrite>, LogId>> story = {
      {{append(1, 5)}, log_id(1, 5)},
      {{vote(2, 2)}, log_id(1, 5)},
      {{truncate(4), append(4, 4, 2)}, log_id(2, 4)},
      {{append(5, 9, 2), purge(3)}, log_id(2, 9)},
      {{truncate(10), append(10, 10, 3)}, log_id(3, 10)},
      {{truncate(5), append(5, 6, 4), truncate(6), append(6, 8, 5)}, log_id(5, 8)},
      {{purge(8)}, log_id(5, 8)},
      {{append(9, 9, 5)}, log_id(5, 9)},
  };
  for (const auto& [group, last] : story) {
    EXPECT_EQ(write(group), last);
    const auto purged = store().purged();
    reopen();
    EXPECT_EQ(store().last(), last);
    EXPECT_EQ(store().purged(), purged);
    EXPECT_EQ(found().last, last);
    EXPECT_EQ(found().purged, purged);
    EXPECT_EQ(found().entries, last.index - purged.index);
  }
  EXPECT_EQ(found().vote, (Vote{Term(2), NodeId(2)}));
}

TEST_F(LogStoreTest, ATruncatedAndRewrittenEntryIsTheNewOneWithinOneGroupToo) {
  write({append(1, 6)});
  EXPECT_EQ(write({truncate(3), append(3, 4, 2)}), log_id(2, 4));
  EXPECT_THAT(read(2, 4), ElementsAre(entry(2), entry(3, 2), entry(4, 2)));
  EXPECT_EQ(write({truncate(2), append(2, 5, 3), truncate(3), append(3, 3, 4)}), log_id(4, 3));
  EXPECT_THAT(read(1, 3), ElementsAre(entry(1), entry(2, 3), entry(3, 4)));
  reopen();
  EXPECT_EQ(found().last, log_id(4, 3));
  EXPECT_THAT(read(1, 3), ElementsAre(entry(1), entry(2, 3), entry(3, 4)));
  EXPECT_THAT(found().runs, ElementsAre(TermRun{Term(1), Index(1)}, TermRun{Term(3), Index(2)},
                                        TermRun{Term(4), Index(3)}));
}

TEST_F(LogStoreTest, TheLastVoteOfAGroupCounts) {
  write({vote(1, 1), vote(2, 0), vote(2, 3)});
  reopen();
  EXPECT_EQ(found().vote, (Vote{Term(2), NodeId(3)}));
}

TEST_F(LogStoreTest, ABindingIsReplacedNotDoubled) {
  write({bind(3, 30), bind(2, 20)});
  write({bind(3, 31)});
  reopen();
  EXPECT_THAT(found().bindings,
              ElementsAre(PeerBinding{NodeId(2), InstanceId(20)}, PeerBinding{NodeId(3), InstanceId(31)}));
}

TEST_F(LogStoreTest, MembershipEntriesAreFoundAgainOldestFirst) {
  auto first = entry(2), second = entry(4, 2);
  first.kind = second.kind = EntryKind::membership;
  first.payload = Bytes(encode_membership(three_voters()));
  const auto alone = membership_of({{NodeId(1), {"10.0.0.1", 7001, 17001}}});
  second.payload = Bytes(encode_membership(alone));
  write({append({entry(1), first, entry(3), second})});
  reopen();
  EXPECT_THAT(found().memberships,
              ElementsAre(std::pair(log_id(1, 2), three_voters()), std::pair(log_id(2, 4), alone)));
  write({purge(3)});
  reopen();
  EXPECT_THAT(found().memberships, ElementsAre(std::pair(log_id(2, 4), alone)));
}

TEST_F(LogStoreTest, PurgedEntriesAreGoneAndTheirPlaceIsRemembered) {
  write({append(1, 4), append(5, 8, 2)});
  write({purge(6)});
  EXPECT_EQ(store().purged(), log_id(2, 6));
  EXPECT_EQ(store().read(Index(6), Index(7), 1000).error().kind, StorageKind::invalid_request);
  EXPECT_THAT(read(7, 8), ElementsAre(entry(7, 2), entry(8, 2)));
  write({purge(3)});  // long done
  EXPECT_EQ(store().purged(), log_id(2, 6));
  write({purge(8)});
  reopen();
  EXPECT_EQ(found().purged, log_id(2, 8));
  EXPECT_EQ(found().last, log_id(2, 8));
  EXPECT_THAT(found().runs, SizeIs(0));
  EXPECT_EQ(write({append(9, 9, 2)}), log_id(2, 9));
}

TEST_F(LogStoreTest, AResetLeavesNothingAndTheLogGoesOnBehindIt) {
  write({append(1, 8)});
  EXPECT_EQ(write({reset(3, 20), append(21, 22, 3)}), log_id(3, 22));
  EXPECT_EQ(store().purged(), log_id(3, 20));
  EXPECT_EQ(store().read(Index(8), Index(21), 1000).error().kind, StorageKind::invalid_request);
  EXPECT_THAT(read(21, 22), ElementsAre(entry(21, 3), entry(22, 3)));
  reopen();
  EXPECT_EQ(found().purged, log_id(3, 20));
  EXPECT_EQ(found().entries, 2u);
  EXPECT_THAT(found().runs, ElementsAre(TermRun{Term(3), Index(21)}));
  // Into the middle of the log, which has another entry there.
  write({append(23, 30, 3)});
  write({reset(4, 25)});
  EXPECT_EQ(store().last(), log_id(4, 25));
  write({append(26, 26, 4)});
  reopen();
  EXPECT_EQ(found().last, log_id(4, 26)) << "entries 27 to 30 are of the log before the reset";
  EXPECT_THAT(read(26, 26), ElementsAre(entry(26, 4)));
}

/// Opens as after the install of a snapshot that ends with `installed`.
struct Follows : LogStoreTest {
  void reopen_behind(LogId installed) {
    opened_.reset();
    auto given = options();
    given.installed = installed;
    given.durable_applied = installed.index;
    opened_ = std::make_unique<Opened>(given);
    ASSERT_TRUE(*opened_) << why(opened_->error);
  }
  void expect_log(LogId purged, LogId last) {
    EXPECT_EQ(found().purged, purged);
    EXPECT_EQ(found().last, last);
    EXPECT_EQ(store().purged(), purged);
    EXPECT_EQ(store().last(), last);
    EXPECT_EQ(found().entries, last.index - purged.index);
    reopen();
    EXPECT_EQ(found().purged, purged) << "it must be durable when open() returns";
    EXPECT_EQ(found().last, last);
  }
};

TEST_F(Follows, ALogThatIsShorterThanTheSnapshotBeginsBehindIt) {
  write({append(1, 8), vote(2, 3)});
  reopen_behind(log_id(2, 20));
  EXPECT_EQ(found().vote, (Vote{Term(2), NodeId(3)}));
  expect_log(log_id(2, 20), log_id(2, 20));
  EXPECT_EQ(write({append(21, 21, 2)}), log_id(2, 21));
}

TEST_F(Follows, ALogThatHoldsTheSnapshotsLastEntryKeepsWhatFollows) {
  write({append(1, 4), append(5, 8, 2)});
  reopen_behind(log_id(2, 6));
  EXPECT_THAT(read(7, 8), ElementsAre(entry(7, 2), entry(8, 2)));
  EXPECT_THAT(found().runs, ElementsAre(TermRun{Term(2), Index(7)}));
  expect_log(log_id(2, 6), log_id(2, 8));
}

TEST_F(Follows, ALogThatHasAnotherEntryThereLosesAll) {
  write({append(1, 8)});
  reopen_behind(log_id(2, 6));
  expect_log(log_id(2, 6), log_id(2, 6));
}

TEST_F(Follows, ALogThatWentOnAlreadyStaysAsItIs) {
  write({append(1, 8)});
  write({purge(6)});
  reopen_behind(log_id(1, 6));
  EXPECT_EQ(found().entries, 2u);
  reopen_behind(log_id(1, 4));
  expect_log(log_id(1, 6), log_id(1, 8));
}

TEST_F(LogStoreTest, MarksTellHowMuchLiesBeforeAPlace) {
  const std::string payload(1000, 'x');
  std::uint64_t index = 0;
  for (int group = 0; group < 50; ++group) {
    std::vector<Entry> entries;
    for (int i = 0; i < 100; ++i) {
      entries.push_back(entry(++index, 1, payload));
    }
    write({append(std::move(entries))});
  }
  const auto weight = weight_bytes(entry(1, 1, payload));
  reopen();
  EXPECT_EQ(found().entry_bytes, 5000 * weight);
  ASSERT_THAT(found().marks, SizeIs(5));  // 5.3 MB, one per MiB
  for (const auto& mark : found().marks) {
    EXPECT_EQ(mark.bytes, mark.index.value * weight);
    EXPECT_EQ(mark.stamp_ms, entry(mark.index.value).stamp_ms);
  }
  EXPECT_EQ(found().marks[1].index - found().marks[0].index, (kLogMarkBytes + weight - 1) / weight);
  write({purge(3000)});
  reopen();
  EXPECT_EQ(found().entry_bytes, 2000 * weight);
  EXPECT_THAT(found().marks, SizeIs(2));
  EXPECT_GT(found().marks.at(0).index, Index(3000));
}

TEST_F(LogStoreTest, AReadKeepsToItsLimitsButGivesAtLeastOne) {
  const std::string payload(1000, 'x');
  write({append({entry(1, 1, payload), entry(2, 1, payload), entry(3, 1, payload)})});
  const auto weight = weight_bytes(entry(1, 1, payload));
  EXPECT_THAT(read(1, 3, 0), SizeIs(1));
  EXPECT_THAT(read(1, 3, weight * 2 - 1), SizeIs(1));
  EXPECT_THAT(read(1, 3, weight * 2), SizeIs(2));
  EXPECT_THAT(read(1, 3, weight * 3), SizeIs(3));
  EXPECT_THAT(read(2, 2), ElementsAre(entry(2, 1, payload)));
  for (const auto& [first, last] : {std::pair{0, 1}, {3, 4}, {3, 2}, {4, 4}}) {
    const auto result =
        store().read(Index(static_cast<std::uint64_t>(first)), Index(static_cast<std::uint64_t>(last)), 1000);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, StorageKind::invalid_request);
    EXPECT_EQ(result.error().outcome, StorageOutcome::not_written);
  }
  EXPECT_FALSE(store().poisoned()) << "a wrong question harms nothing";
}

TEST_F(LogStoreTest, EntriesOfEverySizeComeBack) {
  std::vector<Entry> entries;
  for (const std::size_t size : {0u, 1u, 100u, 400u, 500u, 32'000u, 32'768u, 100'000u, 3'000'000u}) {
    auto e = entry(entries.size() + 1);
    e.payload = Bytes(std::string(size, static_cast<char>('a' + entries.size())));
    entries.push_back(e);
    write({append({e})});
  }
  EXPECT_EQ(read(1, entries.size()), entries);
  reopen();
  EXPECT_EQ(read(1, entries.size()), entries);
  EXPECT_EQ(found().torn_bytes, 0u);
}

TEST_F(LogStoreTest, EveryWriteEndsAtASector) {
  std::uint64_t index = 0;
  for (std::size_t size = 0; size < 1200; size += 37) {
    write({append({entry(++index, 1, std::string(size + 1, 'x'))})});
    for (const auto& file : std::filesystem::directory_iterator(dir_.path())) {
      if (file.path().extension() == ".log") {
        EXPECT_EQ(file.file_size() % 512, 0u) << "after a payload of " << size;
      }
    }
  }
}

TEST_F(LogStoreTest, AdoptsAClusterOnce) {
  TempDir dir;
  auto nobody = some_identity();
  nobody.cluster = ClusterId(0);
  nobody.initial_membership = {};
  ASSERT_TRUE(LogStore::create(at(dir.path()), nobody));
  {
    Opened opened(at(dir.path()));
    ASSERT_TRUE(opened);
    EXPECT_FALSE(opened.found.identity.cluster);
    ASSERT_TRUE(opened->adopt_cluster(ClusterId(5), three_voters()));
    EXPECT_EQ(opened->adopt_cluster(ClusterId(6), {}).error().kind, StorageKind::invalid_request);
  }
  Opened opened(at(dir.path()));
  EXPECT_EQ(opened.found.identity.cluster, ClusterId(5));
  EXPECT_EQ(opened.found.identity.initial_membership, three_voters());
  EXPECT_EQ(opened.found.identity.instance, InstanceId(77));
}

TEST_F(LogStoreTest, CountsWhatItDoes) {
  EXPECT_EQ(store().stats().syncs, 0u);
  write({append({entry(1, 1, "four"), entry(2, 1, "five5")}), vote(1, 1)});
  write({});
  write({vote(2, 1)});
  EXPECT_EQ(store().stats().syncs, 2u);
  EXPECT_EQ(store().stats().entries_written, 2u);
  EXPECT_EQ(store().stats().bytes_written, 9u);
  EXPECT_GE(store().stats().sync_total_us, store().stats().sync_max_us);
  EXPECT_GE(store().stats().sync_max_us, store().stats().last_sync_us);
  EXPECT_GT(store().disk_bytes(), 1000u);
}

TEST_F(LogStoreTest, IsHeldByOneInstanceOnly) {
  Recovered ignored;
  const auto second = LogStore::open(options(), ignored);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, StorageKind::unavailable);
  EXPECT_THAT(second.error().cause, HasSubstr("open elsewhere"));
  write({append(1, 1)});
  reopen();
}

using LogStoreBugs = LogStoreTest;

TEST_F(LogStoreBugs, AStepThatDoesNotFitStopsTheProcess) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  write({append(1, 5), purge(2)});
  const auto bug = ::testing::ExitedWithCode(70);
  EXPECT_EXIT((void)store().write({append(7, 7)}), bug, "gap");
  EXPECT_EXIT((void)store().write({append(5, 5)}), bug, "gap");
  EXPECT_EXIT((void)store().write({truncate(2)}), bug, "purge point");
  EXPECT_EXIT((void)store().write({truncate(7)}), bug, "behind the end");
  EXPECT_EXIT((void)store().write({purge(6)}), bug, "beyond the end");
  EXPECT_EXIT((void)store().write({reset(1, 1)}), bug, "below the purge point");
}

class LogDirectoryTest : public ::testing::Test {
 protected:
  StorageError refusal() {
    Opened opened(at(dir_.path()));
    EXPECT_FALSE(opened);
    return opened.error;
  }
  Result<void> create() { return LogStore::create(at(dir_.path()), some_identity()); }
  std::string path(const std::string& name) const { return dir_.path() + "/" + name; }
  TempDir dir_;
};

TEST_F(LogDirectoryTest, WithoutADirectoryThereIsNoStore) {
  EXPECT_FALSE(LogStore::exists(at(dir_.path())));
  EXPECT_EQ(refusal().kind, StorageKind::mismatch);
  EXPECT_THAT(refusal().cause, HasSubstr("holds no log store"));
  EXPECT_FALSE(std::filesystem::exists(dir_.path()));
}

TEST_F(LogDirectoryTest, AStoreIsMadeOnce) {
  ASSERT_TRUE(create());
  EXPECT_TRUE(LogStore::exists(at(dir_.path())));
  EXPECT_EQ(create().error().kind, StorageKind::invalid_request);
}

TEST_F(LogDirectoryTest, AFileInItsPlaceIsNamed) {
  write_file(dir_.path(), "hello");
  EXPECT_FALSE(LogStore::exists(at(dir_.path())));
  EXPECT_THAT(refusal().cause, HasSubstr("is not a directory"));
  EXPECT_EQ(create().error().kind, StorageKind::mismatch);
  EXPECT_EQ(read_file(dir_.path()), "hello");
}

TEST_F(LogDirectoryTest, AForeignDirectoryIsLeftAlone) {
  std::filesystem::create_directory(dir_.path());
  write_file(path("thesis.tex"), "years of work");
  EXPECT_TRUE(LogStore::exists(at(dir_.path())));
  EXPECT_EQ(refusal().kind, StorageKind::mismatch);
  EXPECT_EQ(create().error().kind, StorageKind::mismatch);
  EXPECT_EQ(read_file(path("thesis.tex")), "years of work");
}

TEST_F(LogDirectoryTest, AnInterruptedCreationIsBegunAnew) {
  ASSERT_TRUE(create());
  std::filesystem::remove(path("KIWI-LOG"));
  write_file(path("KIWI-CREATING"), "");
  EXPECT_FALSE(LogStore::exists(at(dir_.path())));
  EXPECT_THAT(refusal().cause, HasSubstr("interrupted"));
  ASSERT_TRUE(create());
  EXPECT_TRUE(Opened(at(dir_.path())));
  EXPECT_FALSE(std::filesystem::exists(path("KIWI-CREATING")));
}

TEST_F(LogDirectoryTest, AnUnknownFormatIsRefusedByItsNumber) {
  ASSERT_TRUE(create());
  std::string text = "kiwi log store\nformat 3\ninstance 000000000000004d\n";
  char checksum[32];
  std::snprintf(checksum, sizeof(checksum), "checksum %016llx\n",
                static_cast<unsigned long long>(checksum64(text)));
  write_file(path("KIWI-LOG"), text + checksum);
  EXPECT_EQ(refusal().kind, StorageKind::mismatch);
  EXPECT_THAT(refusal().cause, HasSubstr("format 3"));
  write_file(path("KIWI-LOG"), text + "checksum 0000000000000000\n");
  EXPECT_EQ(refusal().kind, StorageKind::corruption);
}

TEST_F(LogDirectoryTest, TheMarkerOfAnotherStoreIsNoticed) {
  ASSERT_TRUE(create());
  TempDir other;
  ASSERT_TRUE(LogStore::create(at(other.path()), some_identity(78)));
  std::filesystem::copy_file(other.path() + "/KIWI-LOG", path("KIWI-LOG"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(refusal().kind, StorageKind::corruption);
  EXPECT_THAT(refusal().cause, HasSubstr("instance"));
}

}  // namespace
}  // namespace kiwi::storage
