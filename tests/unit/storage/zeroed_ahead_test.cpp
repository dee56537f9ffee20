// Write-ahead-log files with zeroes behind what is written, as a process leaves them that did not close them.

#include "storage/zeroed_ahead.hpp"

#include "log_testing.hpp"
#include "storage/log_env.hpp"
#include "storage/verify_log.hpp"

namespace kiwi::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::uint64_t kStretch = 8192;
constexpr std::uint64_t kSector = 512;

/// As many file systems are; where it can be had, direct_wal_file_test.cpp tells the stories.
class WithoutDirectWrites : public rocksdb::FileSystemWrapper {
 public:
  WithoutDirectWrites() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "WithoutDirectWrites"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    return options.use_direct_writes ? rocksdb::IOStatus::IOError("Invalid argument")
                                     : target()->NewWritableFile(path, options, out, debug);
  }
};

class ZeroedAheadFile : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(dir_.path());
    ASSERT_TRUE(files_->NewWritableFile(path_, {}, &file_, nullptr).ok());
  }
  void append(std::size_t bytes) {
    written_ += std::string(bytes, static_cast<char>('a' + written_.size() % 26));
    ASSERT_TRUE(file_->Append(written_.substr(written_.size() - bytes), {}, nullptr).ok());
    ASSERT_TRUE(file_->Sync({}, nullptr).ok());
  }
  std::string zeroes_to(std::uint64_t size) const {
    return written_ + std::string(size - written_.size(), '\0');
  }

  TempDir dir_;
  std::string path_ = dir_.path() + "/000004.log";
  std::shared_ptr<rocksdb::FileSystem> files_ =
      zeroed_ahead(std::make_shared<WithoutDirectWrites>(), kStretch);
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  std::string written_;
};

TEST_F(ZeroedAheadFile, IsLongerThanWhatIsWrittenUntilItIsClosed) {
  append(100);
  EXPECT_EQ(read_file(path_), zeroes_to(kStretch));
  append(kStretch - 101);
  EXPECT_EQ(read_file(path_), zeroes_to(kStretch)) << "the size does not change";
  append(1);
  EXPECT_EQ(read_file(path_), zeroes_to(kStretch)) << "it just fits";
  append(1);
  EXPECT_EQ(read_file(path_), zeroes_to(2 * kStretch));
  append(3 * kStretch);
  EXPECT_EQ(read_file(path_), zeroes_to(5 * kStretch));
  ASSERT_TRUE(file_->Close({}, nullptr).ok());
  EXPECT_EQ(read_file(path_), written_);
}

/// A file system on which zeroes cannot be written: the second handle fails after so many bytes.
class ShortOfRoom : public WithoutDirectWrites {
 public:
  ShortOfRoom(std::uint64_t bytes, rocksdb::IOStatus failure) : bytes_(bytes), failure_(std::move(failure)) {}
  const char* Name() const override { return "ShortOfRoom"; }
  rocksdb::IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* out,
                                    rocksdb::IODebugContext* debug) override {
    struct File : rocksdb::FSRandomRWFileOwnerWrapper {
      File(std::unique_ptr<rocksdb::FSRandomRWFile> file, ShortOfRoom& owner)
          : FSRandomRWFileOwnerWrapper(std::move(file)), fs(owner) {}
      rocksdb::IOStatus Write(std::uint64_t at, const rocksdb::Slice& data, const rocksdb::IOOptions& io,
                              rocksdb::IODebugContext* dbg) override {
        const auto fits = std::min<std::uint64_t>(fs.bytes_, data.size());
        fs.bytes_ -= fits;
        auto status = target()->Write(at, rocksdb::Slice(data.data(), fits), io, dbg);
        return fits == data.size() ? status : fs.failure_;
      }
      ShortOfRoom& fs;
    };
    std::unique_ptr<rocksdb::FSRandomRWFile> file;
    auto status = target()->NewRandomRWFile(path, options, &file, debug);
    if (status.ok())
      *out = std::make_unique<File>(std::move(file), *this);
    return status;
  }

 private:
  std::uint64_t bytes_;
  rocksdb::IOStatus failure_;
};

TEST_F(ZeroedAheadFile, LeavesTheRoomOfAFullDiskToTheRecords) {
  for (const auto& failure :
       {rocksdb::IOStatus::NoSpace("full"), rocksdb::IOStatus::IOError("File too large")}) {
    written_.clear();
    files_ = zeroed_ahead(std::make_shared<ShortOfRoom>(kStretch + 1000, failure), kStretch);
    ASSERT_TRUE(files_->NewWritableFile(path_, {}, &file_, nullptr).ok());
    append(100);
    EXPECT_EQ(read_file(path_), zeroes_to(kStretch));
    append(kStretch);
    EXPECT_EQ(read_file(path_), written_) << "the zeroes that were written are cut";
    append(200);
    EXPECT_EQ(read_file(path_), written_) << "and no more are tried";
    ASSERT_TRUE(file_->Close({}, nullptr).ok());
    EXPECT_EQ(read_file(path_), written_);
  }
}

TEST_F(ZeroedAheadFile, IsOnlyAWriteAheadLog) {
  std::unique_ptr<rocksdb::FSWritableFile> table;
  ASSERT_TRUE(files_->NewWritableFile(dir_.path() + "/000005.sst", {}, &table, nullptr).ok());
  ASSERT_TRUE(table->Append("rows", {}, nullptr).ok());
  ASSERT_TRUE(table->Sync({}, nullptr).ok());
  EXPECT_EQ(read_file(dir_.path() + "/000005.sst"), "rows");
}

/// The directory of a log store as a killed process leaves it.
class LogWithZeroes : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kEntries = 12;

  void SetUp() override {
    ASSERT_TRUE(LogStore::create(at(dir_.path("live")), some_identity()));
    Opened live(at(dir_.path("live")));
    ASSERT_TRUE(live) << why(live.error);
    for (std::uint64_t i = 1; i <= kEntries; ++i) {
      ends_.push_back(wal_end());
      ASSERT_TRUE(live->write({append({entry(i, 1, std::string(900 * i, 'x'))})}));
    }
    ends_.push_back(wal_end());
    fs::copy(dir_.path("live"), dir_.path("found"), fs::copy_options::recursive);
    wal_ = dir_.path("found") + "/" + wal_name("found");
    bytes_ = read_file(wal_);
  }
  std::string wal_name(const std::string& dir) const {
    std::string newest;
    for (const auto& file : fs::directory_iterator(dir_.path(dir))) {
      const auto name = file.path().filename().string();
      newest = name.ends_with(".log") ? std::max(newest, name) : newest;
    }
    return newest;
  }
  std::uint64_t wal_end() const {
    const auto bytes = read_file(dir_.path("live") + "/" + wal_name("live"));
    const auto last = bytes.find_last_not_of('\0') + 1;
    return (last + kSector - 1) / kSector * kSector;
  }
  /// What an opening finds once `edit` has been at the file: the last index, 0 when it is refused as damaged.
  std::uint64_t opened_after(const std::function<void(std::string&)>& edit) {
    fs::remove_all(dir_.path("edited"));
    fs::copy(dir_.path("found"), dir_.path("edited"), fs::copy_options::recursive);
    auto bytes = bytes_;
    edit(bytes);
    write_file(dir_.path("edited") + "/" + wal_name("found"), bytes);
    const auto report = verify_log(at(dir_.path("edited")), {});
    findings_ = report.findings.size();
    Opened opened(at(dir_.path("edited")));
    if (!opened) {
      EXPECT_EQ(opened.error.kind, StorageKind::corruption) << why(opened.error);
      EXPECT_GT(findings_, 0u) << "inspection must see what an opening refuses";
      said_ = opened.error.cause;
      return 0;
    }
    torn_bytes_ = opened.found.torn_bytes;
    const auto last = opened->last().index.value;
    EXPECT_EQ(opened->read(Index(1), Index(last), ~std::uint64_t{0})->size(), last);
    return last;
  }

  TempDir dir_;
  std::vector<std::uint64_t> ends_;  // of the file before each entry, and behind the last
  std::string wal_;
  std::string bytes_;
  std::string said_;
  std::uint64_t torn_bytes_ = 0;
  std::size_t findings_ = 0;
};

TEST_F(LogWithZeroes, EndsWhereTheyBegin) {
  ASSERT_EQ(bytes_.size(), kZeroedAheadBytes);
  ASSERT_EQ(ends_.back(), wal_end());
  EXPECT_EQ(opened_after([](std::string&) {}), kEntries);
  EXPECT_EQ(torn_bytes_, 0u);
  EXPECT_EQ(findings_, 0u) << "nothing to tell";
}

TEST_F(LogWithZeroes, OfWhichThereMayBeAnyNumber) {
  for (const auto size : {ends_.back(), ends_.back() + 1, ends_.back() + 600, ends_.back() + 40'000}) {
    EXPECT_EQ(opened_after([size](std::string& bytes) { bytes.resize(size); }), kEntries) << size;
    EXPECT_EQ(torn_bytes_, 0u) << size;
  }
}

TEST_F(LogWithZeroes, ANewestWriteOfWhichSomeSectorsAreMissingIsCut) {
  const auto begin = ends_[kEntries - 1], end = ends_[kEntries];
  const auto sectors = (end - begin) / kSector;
  ASSERT_GE(sectors, 10u);
  for (std::uint64_t lost = 1; lost < 1u << 10; lost = lost * 3 + 1) {
    const auto last = opened_after([&](std::string& bytes) {
      for (std::uint64_t s = 0; s < 10; ++s) {
        const auto sector = s < 9 ? s : sectors - 1;
        if ((lost >> s & 1) != 0) {
          std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin + sector * kSector), kSector, '\0');
        }
      }
    });
    EXPECT_EQ(last, kEntries - 1) << "lost: " << lost;
    EXPECT_GT(torn_bytes_, 0u);
  }
  EXPECT_EQ(opened_after([&](std::string& bytes) {
              std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), end - begin, '\0');
            }),
            kEntries - 1);
  EXPECT_EQ(torn_bytes_, 0u) << "nothing of it came: no trace";
}

TEST_F(LogWithZeroes, AnEarlierWriteOfWhichASectorIsMissingIsDamage) {
  for (auto at = ends_[0]; at < ends_[kEntries - 1]; at += kSector) {
    EXPECT_EQ(opened_after([&](std::string& bytes) {
                std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), kSector, '\0');
              }),
              0u)
        << "sector at " << at;
    EXPECT_THAT(said_, HasSubstr("damaged"));
  }
}

TEST_F(LogWithZeroes, FlippedBitsAmongTheZeroesHurtNothing) {
  for (auto at = ends_[kEntries]; at < bytes_.size(); at += 39'979) {
    EXPECT_EQ(opened_after([&](std::string& bytes) { bytes[at] ^= 2; }), kEntries) << at;
  }
}

TEST_F(LogWithZeroes, ShorterThanWhatWasAppliedIsDamage) {
  auto options = at(dir_.path("found"));
  options.durable_applied = Index(kEntries);
  auto bytes = bytes_;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(ends_[kEntries - 1]), bytes.end(), '\0');
  write_file(wal_, bytes);
  const Opened opened(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error.kind, StorageKind::corruption);
}

TEST(LogEnvTest, KnowsHowFarTheNewestWriteAheadLogIsWritten) {
  TempDir dir;
  fs::create_directories(dir.path());
  LogEnv log_env(nullptr);
  const auto& files = log_env.env().GetFileSystem();  // where RocksDB takes its files from
  for (const char* name : {"/000004.log", "/000007.log"}) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    ASSERT_TRUE(files->NewWritableFile(dir.path() + name, {}, &file, nullptr).ok());
    EXPECT_EQ(log_env.wal_bytes(), 0u);
    ASSERT_TRUE(file->Append("12345", {}, nullptr).ok());
    ASSERT_TRUE(file->Append("678", {}, nullptr).ok());
    EXPECT_EQ(log_env.wal_bytes(), 8u);
    EXPECT_EQ(fs::file_size(dir.path() + name), kZeroedAheadBytes);
  }
}

}  // namespace
}  // namespace kiwi::storage
