// Damage to real files. The outcome must be one of three: everything is there; only the newest write is gone,
// which cannot be told from one that was torn; or the store refuses to open and says corruption. Never fewer
// entries in silence.

#include <algorithm>
#include <functional>
#include <random>

#include "log_testing.hpp"

namespace kiwi::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint64_t kEntries = 30;

/// Remembers a directory's files and puts them back.
class Image {
 public:
  explicit Image(std::string dir) : dir_(std::move(dir)) {
    for (const auto& file : fs::directory_iterator(dir_)) {
      files_.emplace_back(file.path().filename().string(), read_file(file.path().string()));
    }
    std::sort(files_.begin(), files_.end());
  }
  void put_back() const {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    for (const auto& [name, bytes] : files_) {
      write_file(dir_ + "/" + name, bytes);
    }
  }
  const std::vector<std::pair<std::string, std::string>>& files() const { return files_; }
  std::vector<std::string> named(const std::function<bool(const std::string&)>& want) const {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_) {
      if (want(name)) {
        names.push_back(name);
      }
    }
    return names;
  }
  std::string ending(const std::string& suffix) const {
    const auto names = named([&](const std::string& name) { return name.ends_with(suffix); });
    return names.empty() ? "" : names.back();
  }
  std::string beginning(const std::string& prefix) const {
    const auto names = named([&](const std::string& name) { return name.starts_with(prefix); });
    return names.empty() ? "" : names.back();
  }

 private:
  std::string dir_;
  std::vector<std::pair<std::string, std::string>> files_;
};

enum class Outcome { intact, newest_cut, refused };

class LogDamageTest : public ::testing::Test {
 protected:
  /// Half of the entries in a table, the other half in the write-ahead log, one write each; the last is
  /// entry kEntries.
  void SetUp() override {
    ASSERT_TRUE(LogStore::create(at(dir()), some_identity()));
    write_entries(1, kEntries / 2);
    write_entries(kEntries / 2 + 1, kEntries);
    image_ = std::make_unique<Image>(dir());
    wal_ = image_->ending(".log");
    table_ = image_->ending(".sst");
    ASSERT_FALSE(wal_.empty());
    ASSERT_FALSE(table_.empty());
  }
  std::string dir() const { return dir_.path(); }
  std::string path(const std::string& name) const { return dir() + "/" + name; }

  void write_entries(std::uint64_t first, std::uint64_t last) {
    Opened opened(at(dir()));
    ASSERT_TRUE(opened) << why(opened.error);
    for (auto i = first; i <= last; ++i) {
      auto step = append({entry(i)});
      step.has_vote = true;
      step.vote = {Term(i), NodeId(1)};
      ASSERT_TRUE(opened->write({step}));
    }
  }

  /// Opens what is there now and judges it. Anything but the three outcomes fails the test.
  Outcome outcome() {
    const Image before(dir());
    Opened opened(at(dir()));
    if (!opened) {
      EXPECT_EQ(opened.error.kind, StorageKind::corruption) << why(opened.error);
      said_ = opened.error.cause;
      return Outcome::refused;
    }
    torn_bytes_ = opened.found.torn_bytes;
    const auto last = opened->last().index.value;
    EXPECT_THAT(last, ::testing::AnyOf(kEntries, kEntries - 1)) << "entries are gone in silence";
    EXPECT_EQ(opened.found.vote.term, Term(last)) << "the vote goes with the entry it was written with";
    EXPECT_EQ(opened.found.identity.node, NodeId(1));
    const auto read = opened->read(Index(1), Index(last), ~std::uint64_t{0});
    EXPECT_TRUE(read) << why(read);
    if (read) {
      EXPECT_EQ(*read, append(1, last).entries);
    }
    return last == kEntries ? Outcome::intact : Outcome::newest_cut;
  }
  Outcome after_edit(const std::string& name, const std::function<void(std::string&)>& edit) {
    image_->put_back();
    auto bytes = read_file(path(name));
    edit(bytes);
    write_file(path(name), bytes);
    return outcome();
  }

  /// Where the writes of the write-ahead log end: every one is filled up to a sector.
  std::uint64_t wal_size() const { return fs::file_size(path(wal_)); }
  static constexpr std::uint64_t kSector = 512;

  TempDir dir_;
  std::unique_ptr<Image> image_;
  std::string wal_, table_, said_;
  std::uint64_t torn_bytes_ = 0;
};

TEST_F(LogDamageTest, AnUndamagedStoreIsIntact) {
  EXPECT_EQ(outcome(), Outcome::intact);
  EXPECT_EQ(torn_bytes_, 0u);
}

TEST_F(LogDamageTest, TheNewestWriteCutAtEveryByteIsATornTail) {
  const auto size = wal_size();
  for (std::uint64_t cut = 1; cut < kSector; cut += 7) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    std::uint64_t left = 0;  // of it, without the zeroes that fill its sector
    EXPECT_EQ(after_edit(wal_,
                         [&](std::string& bytes) {
                           bytes.resize(size - cut);
                           left = bytes.find_last_not_of('\0') + 1 - (size - kSector);
                         }),
              Outcome::newest_cut);
    EXPECT_EQ(torn_bytes_, left);
    EXPECT_GT(left, 0u);
  }
  EXPECT_EQ(after_edit(wal_, [&](std::string& bytes) { bytes.resize(size - kSector); }), Outcome::newest_cut);
}

TEST_F(LogDamageTest, TheNewestSectorZeroedIsATornTailThatTakesOneWrite) {
  EXPECT_EQ(after_edit(wal_, [](std::string& bytes) { std::fill(bytes.end() - kSector, bytes.end(), '\0'); }),
            Outcome::newest_cut);
  EXPECT_EQ(torn_bytes_, 0u) << "zeroes at the end were written ahead, as far as anybody can tell";
}

TEST_F(LogDamageTest, AnEarlierSectorZeroedIsDamage) {
  const auto sectors = wal_size() / kSector;
  for (std::uint64_t sector = 0; sector + 1 < sectors; ++sector) {
    SCOPED_TRACE("sector " + std::to_string(sector));
    EXPECT_EQ(after_edit(
                  wal_, [&](std::string& bytes) { bytes.replace(sector * kSector, kSector, kSector, '\0'); }),
              Outcome::refused);
    EXPECT_THAT(said_, HasSubstr(wal_));
  }
}

TEST_F(LogDamageTest, AnyPartOfAnEarlierWriteDamagedIsDamageAndNamesTheIndex) {
  // Sector 0 is the batch of opening; sector n holds entry kEntries / 2 + n.
  const std::uint64_t n = 5;
  const struct {
    const char* what;
    std::uint64_t offset;
  } parts[] = {{"checksum", 0},
               {"low byte of length", 4},
               {"high byte of length", 5},
               {"type", 6},
               {"sequence", 7},
               {"state", 30},
               {"entry", 160},
               {"filler", 400}};
  for (const auto& part : parts) {
    for (const int bit : {0, 3, 7}) {
      SCOPED_TRACE(part.what);
      EXPECT_EQ(after_edit(wal_,
                           [&](std::string& bytes) {
                             auto& byte = bytes[n * kSector + part.offset];
                             byte = static_cast<char>(byte ^ (1 << bit));
                           }),
                Outcome::refused);
      EXPECT_THAT(said_, HasSubstr("first bad index " + std::to_string(kEntries / 2 + n)));
      EXPECT_THAT(said_, HasSubstr("offset " + std::to_string(n * kSector)));
    }
  }
}

TEST_F(LogDamageTest, ARefusalChangesNothingOnDisk) {
  ASSERT_EQ(after_edit(wal_, [](std::string& bytes) { bytes[3 * kSector + 4] ^= 1; }), Outcome::refused);
  const Image first(dir());
  ASSERT_EQ(outcome(), Outcome::refused);
  const Image second(dir());
  const auto without_lock = [](const Image& image) {
    auto files = image.files();
    std::erase_if(files, [](const auto& file) { return file.first == "KIWI-LOCK"; });
    return files;
  };
  EXPECT_EQ(without_lock(first), without_lock(second));
  auto expected = without_lock(*image_);
  for (auto& [name, bytes] : expected) {
    if (name == wal_) {
      bytes[3 * kSector + 4] ^= 1;
    }
  }
  EXPECT_EQ(without_lock(second), expected);
}

TEST_F(LogDamageTest, GarbageAtTheEndIsCut) {
  std::mt19937_64 random(7);
  for (const std::size_t size : {1u, 6u, 7u, 100u, 5000u, 40'000u}) {
    SCOPED_TRACE(size);
    EXPECT_EQ(after_edit(wal_,
                         [&](std::string& bytes) {
                           for (std::size_t i = 0; i < size; ++i) {
                             bytes.push_back(static_cast<char>(random()));
                           }
                         }),
              Outcome::intact);
    EXPECT_EQ(torn_bytes_, size);
  }
  EXPECT_EQ(after_edit(wal_, [](std::string& bytes) { bytes.append(100'000, '\0'); }), Outcome::intact);
}

TEST_F(LogDamageTest, BytesAClientStoredProveNoDamage) {
  // A copy of this very log as a value, in a write that is then torn: good records, but old ones.
  image_->put_back();
  {
    const auto copy = read_file(path(wal_));
    Opened opened(at(dir()));
    ASSERT_TRUE(opened);
    ASSERT_TRUE(opened->write({append({entry(kEntries + 1, 1, copy + copy)})}));
  }
  const auto newest = Image(dir()).ending(".log");
  auto bytes = read_file(path(newest));
  bytes[kSector + 30] ^= 1;
  write_file(path(newest), bytes);
  EXPECT_EQ(outcome(), Outcome::intact);
}

TEST_F(LogDamageTest, ADamagedTableNamesTheIndex) {
  const auto table = read_file(path(table_));
  const auto value = table.find("payload-9-1");
  ASSERT_NE(value, std::string::npos);
  EXPECT_EQ(after_edit(table_, [&](std::string& bytes) { bytes[value] ^= 1; }), Outcome::refused);
  EXPECT_THAT(said_, HasSubstr("first bad index"));
}

TEST_F(LogDamageTest, MissingFilesAreDamage) {
  auto names = image_->named([](const std::string& name) { return name.ends_with(".sst"); });
  EXPECT_EQ(names.size(), 3u) << "one of entries, and the rest of two openings";
  names.insert(names.end(), {"CURRENT", image_->beginning("MANIFEST"), "KIWI-LOG"});
  for (const auto& name : names) {
    SCOPED_TRACE(name);
    image_->put_back();
    fs::remove(path(name));
    Opened opened(at(dir()));
    EXPECT_FALSE(opened);
    EXPECT_EQ(opened.error.kind, name == "KIWI-LOG" ? StorageKind::mismatch : StorageKind::corruption);
    EXPECT_TRUE(LogStore::exists(at(dir())));
    EXPECT_FALSE(LogStore::create(at(dir()), some_identity())) << "a damaged store must not be made anew";
  }
}

TEST_F(LogDamageTest, AManifestThatForgetsItsEndIsDamage) {
  // RocksDB takes a short MANIFEST for a torn one, and would delete the tables it does not know any more.
  const auto manifest = image_->beginning("MANIFEST");
  const auto size = fs::file_size(path(manifest));
  for (std::uint64_t kept = 0; kept < size; kept += 3) {
    SCOPED_TRACE("kept " + std::to_string(kept) + " of " + std::to_string(size));
    const auto result = after_edit(manifest, [&](std::string& bytes) { bytes.resize(kept); });
    EXPECT_NE(result, Outcome::newest_cut);
  }
}

TEST_F(LogDamageTest, AFlippedBitAnywhereIsNeverFewerEntriesInSilence) {
  std::mt19937_64 random(20261122);
  int refused = 0, intact = 0, cut = 0;
  for (int i = 0; i < 400; ++i) {
    image_->put_back();
    const auto& [name, content] = image_->files()[random() % image_->files().size()];
    if (content.empty() || name.starts_with("LOG") || name.starts_with("OPTIONS")) {
      continue;  // nothing is ever read from these
    }
    const auto bit = random() % (content.size() * 8);
    SCOPED_TRACE(name + " bit " + std::to_string(bit));
    switch (after_edit(name, [&](std::string& bytes) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    })) {
      case Outcome::refused:
        ++refused;
        break;
      case Outcome::intact:
        ++intact;
        break;
      case Outcome::newest_cut:
        ++cut;
        EXPECT_EQ(name, wal_);
        EXPECT_GE(bit / 8, content.size() - kSector) << "only the newest write may look torn";
        break;
    }
    if (HasFailure()) {
      return;
    }
  }
  std::printf("refused %d, intact %d, newest write cut %d\n", refused, intact, cut);
  EXPECT_GT(refused, 50);
}

TEST_F(LogDamageTest, ALogShorterThanTheAppliedStateIsDamage) {
  auto options = at(dir());
  options.durable_applied = Index(kEntries + 1);
  Opened opened(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error.kind, StorageKind::corruption);
  EXPECT_THAT(opened.error.cause, HasSubstr("first bad index " + std::to_string(kEntries + 1)));
  options.durable_applied = Index(kEntries);
  EXPECT_TRUE(Opened(options));
}

/// What holds for a plain log holds right behind a step that lets entries go, too.
struct LetGo {
  const char* name;
  LogWrite step;
  LogId begin;  // of the log, after the step
  LogId end;
};

class LogDamageBehind : public ::testing::TestWithParam<LetGo> {
 protected:
  /// Entries 1 to 9, the step, and `more` entries, one write each, all in one write-ahead-log file.
  void write_log(std::uint64_t more) {
    ASSERT_TRUE(LogStore::create(at(dir_.path()), some_identity()));
    Opened opened(at(dir_.path()));
    ASSERT_TRUE(opened) << why(opened.error);
    for (std::uint64_t i = 1; i <= 9; ++i) {
      ASSERT_TRUE(opened->write({append({entry(i)})}));
    }
    ASSERT_TRUE(opened->write({GetParam().step}));
    for (std::uint64_t i = 1; i <= more; ++i) {
      ASSERT_TRUE(opened->write({append({entry(GetParam().end.index.value + i, 2)})}));
    }
  }
  /// Edits the newest file.
  void edit(const std::function<void(std::string&)>& how) {
    const auto wal = dir_.path() + "/" + Image(dir_.path()).ending(".log");
    auto bytes = read_file(wal);
    how(bytes);
    write_file(wal, bytes);
  }
  /// The batch with the step, or with the n-th entry behind it; `from_end` counts batches.
  static void harm(std::string& bytes, std::uint64_t from_end) {
    bytes[bytes.size() - from_end * 512 + 40] ^= 1;
  }

  TempDir dir_;
};

TEST_P(LogDamageBehind, ATornStepLeavesTheLogBeforeIt) {
  write_log(0);
  edit([](std::string& bytes) { bytes.resize(bytes.size() - 100); });
  Opened opened(at(dir_.path()));
  ASSERT_TRUE(opened) << why(opened.error);
  EXPECT_GT(opened.found.torn_bytes, 0u);
  EXPECT_EQ(opened.found.purged, LogId{});
  EXPECT_EQ(opened.found.last, log_id(1, 9));
}

TEST_P(LogDamageBehind, ATornTailBehindTheStepIsCutAndTheStepStays) {
  write_log(1);
  edit([](std::string& bytes) { bytes.resize(bytes.size() - 100); });
  Opened opened(at(dir_.path()));
  ASSERT_TRUE(opened) << why(opened.error);
  EXPECT_GT(opened.found.torn_bytes, 0u);
  EXPECT_EQ(opened.found.purged, GetParam().begin);
  EXPECT_EQ(opened.found.last, GetParam().end);
  ASSERT_TRUE(opened->write({append({entry(GetParam().end.index.value + 1, 3)})}));
}

TEST_P(LogDamageBehind, DamageToTheStepOrBehindItIsRefused) {
  write_log(2);
  const Image image(dir_.path());
  for (std::uint64_t from_end = 2; from_end <= 3; ++from_end) {
    SCOPED_TRACE(from_end);
    image.put_back();
    edit([&](std::string& bytes) { harm(bytes, from_end); });
    Opened opened(at(dir_.path()));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error.kind, StorageKind::corruption);
    const auto first_bad = from_end == 3 ? Index(10) : GetParam().end.index + 1;
    EXPECT_THAT(opened.error.cause, HasSubstr("first bad index " + to_string(first_bad)));
  }
}

TEST_P(LogDamageBehind, ALogThatEndsBelowWhatIsAppliedIsRefused) {
  write_log(0);
  auto options = at(dir_.path());
  options.durable_applied = GetParam().end.index + 1;
  Opened opened(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error.kind, StorageKind::corruption);
}

INSTANTIATE_TEST_SUITE_P(Step, LogDamageBehind,
                         ::testing::Values(LetGo{"Purge", purge(6), log_id(1, 6), log_id(1, 9)},
                                           LetGo{"Reset", reset(2, 30), log_id(2, 30), log_id(2, 30)}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace kiwi::storage
