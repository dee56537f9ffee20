// Write-ahead-log files that are written past the page cache.

#include "storage/direct_wal_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "log_testing.hpp"
#include "storage/zeroed_ahead.hpp"

namespace kiwi::storage {
namespace {

namespace fs = std::filesystem;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::uint64_t kStretch = 64 << 10;

/// The real file system, watched. It can refuse what some do, and can seem to write directly where it cannot.
class Disk : public rocksdb::FileSystemWrapper {
 public:
  enum class Direct { real, seeming, refused_at_open, refused_at_write, ignored, without_second_handle };

  explicit Disk(Direct way)
      : FileSystemWrapper(rocksdb::FileSystem::Default()),
        alignment(way == Direct::real ? 0 : 512),
        direct_(way) {}
  const char* Name() const override { return "Disk"; }

  IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* out, IODebugContext* debug) override {
    auto used = options;
    used.use_mmap_writes = false;
    if (options.use_direct_writes && direct_ == Direct::refused_at_open) {
      return IOStatus::IOError("Invalid argument");
    }
    used.use_direct_writes = options.use_direct_writes && direct_ == Direct::real;
    std::unique_ptr<rocksdb::FSWritableFile> file;
    auto status = target()->NewWritableFile(path, used, &file, debug);
    if (status.ok()) {
      *out = std::make_unique<File>(std::move(file), *this,
                                    options.use_direct_writes && direct_ != Direct::ignored,
                                    path.ends_with(".log"));
    }
    return status;
  }
  IOStatus NewRandomRWFile(const std::string& path, const rocksdb::FileOptions& options,
                           std::unique_ptr<rocksdb::FSRandomRWFile>* out, IODebugContext* debug) override {
    if (direct_ == Direct::without_second_handle) {
      return IOStatus::NotSupported("second handle");
    }
    std::unique_ptr<rocksdb::FSRandomRWFile> file;
    auto status = target()->NewRandomRWFile(path, options, &file, debug);
    if (status.ok()) {
      *out = std::make_unique<SecondHandle>(std::move(file), *this);
    }
    return status;
  }

  std::size_t alignment;     // 0: the file's own
  std::uint64_t direct = 0;  // writes of which each was aligned, without the one that tries a new file
  std::uint64_t plain = 0;   // appends of a *.log that is written the ordinary way
  std::uint64_t second = 0;  // writes of anything but zeroes through the second handle
  IOStatus direct_fails;     // after half of the bytes
  IOStatus second_fails;
  IOStatus zeroes_fail;

 private:
  struct File : rocksdb::FSWritableFileOwnerWrapper {
    File(std::unique_ptr<rocksdb::FSWritableFile> file, Disk& owner, bool is_direct, bool is_log)
        : FSWritableFileOwnerWrapper(std::move(file)), disk(owner), direct(is_direct), log(is_log) {}
    bool use_direct_io() const override {
      return direct && (disk.direct_ != Direct::real || target()->use_direct_io());
    }
    std::size_t GetRequiredBufferAlignment() const override {
      return disk.alignment == 0 ? target()->GetRequiredBufferAlignment() : disk.alignment;
    }
    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
      EXPECT_FALSE(direct);
      if (log)  // RocksDB's threads write the others
        ++disk.plain;
      return target()->Append(data, options, debug);
    }
    IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                              IODebugContext* debug) override {
      EXPECT_TRUE(direct);
      if (disk.direct_ == Direct::refused_at_write) {
        return IOStatus::IOError("Invalid argument");
      }
      if (!disk.direct_fails.ok()) {
        target()
            ->PositionedAppend(Slice(data.data(), data.size() / 2), offset, options, debug)
            .PermitUncheckedError();
        return disk.direct_fails;
      }
      EXPECT_EQ(offset % GetRequiredBufferAlignment(), 0u);
      EXPECT_EQ(data.size() % GetRequiredBufferAlignment(), 0u);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data.data()) % GetRequiredBufferAlignment(), 0u);
      disk.direct += tried ? 1 : 0;
      tried = true;
      return target()->PositionedAppend(data, offset, options, debug);
    }
    Disk& disk;
    bool direct;
    bool log;
    bool tried = false;
  };
  struct SecondHandle : rocksdb::FSRandomRWFileOwnerWrapper {
    SecondHandle(std::unique_ptr<rocksdb::FSRandomRWFile> file, Disk& owner)
        : FSRandomRWFileOwnerWrapper(std::move(file)), disk(owner) {}
    IOStatus Write(std::uint64_t at, const Slice& data, const IOOptions& options,
                   IODebugContext* debug) override {
      const bool zeroes = data.ToStringView().find_first_not_of('\0') == std::string_view::npos;
      disk.second += zeroes ? 0 : 1;
      if (const auto& fails = zeroes ? disk.zeroes_fail : disk.second_fails; !fails.ok()) {
        target()->Write(at, Slice(data.data(), data.size() / 2), options, debug).PermitUncheckedError();
        return fails;
      }
      return target()->Write(at, data, options, debug);
    }
    Disk& disk;
  };
  Direct direct_;
};

using Direct = Disk::Direct;

/// Beside this program: on a disk, where a directory for temporary files may lie in memory.
std::string beside_this_program() {
  auto pattern = fs::read_symlink("/proc/self/exe").string() + "-XXXXXX";
  return ::mkdtemp(pattern.data());
}

class DirectWalFile : public ::testing::Test {
 protected:
  ~DirectWalFile() override {
    file_.reset();
    fs::remove_all(dir_);
  }
  void begin(Direct direct) {
    disk_ = std::make_shared<Disk>(direct);
    written_.clear();
    file_.reset();
    ASSERT_TRUE(zeroed_ahead(disk_, kStretch)->NewWritableFile(path_, {}, &file_, nullptr).ok());
    ASSERT_EQ(read_file(path_), "") << "the try has left nothing";
    EXPECT_FALSE(file_->use_direct_io()) << "RocksDB goes on as if it were not";
    // As RocksDB does with its own.
    file_->SetPreallocationBlockSize(4096);
    page_.reset(static_cast<char*>(std::aligned_alloc(4096, 4 << 20)));
  }
  /// `skew`: of the address.
  IOStatus try_append(std::size_t bytes, std::size_t skew = 0) {
    for (std::size_t i = 0; i < bytes; ++i) {
      page_.get()[skew + i] = static_cast<char>('a' + (written_.size() + i) / 7 % 26);
    }
    const Slice data(page_.get() + skew, bytes);
    file_->PrepareWrite(written_.size(), bytes, {}, nullptr);
    auto status = verified_ ? file_->Append(data, {}, rocksdb::DataVerificationInfo(), nullptr)
                            : file_->Append(data, {}, nullptr);
    if (status.ok()) {
      written_.append(data.data(), data.size());
    }
    return status;
  }
  void append(std::size_t bytes, std::size_t skew = 0) {
    ASSERT_TRUE(try_append(bytes, skew).ok());
    ASSERT_TRUE(file_->Sync({}, nullptr).ok());
    EXPECT_EQ(file_->GetFileSize({}, nullptr), written_.size());
    const auto found = read_file(path_);
    ASSERT_GE(found.size(), written_.size());
    ASSERT_EQ(found.substr(0, written_.size()), written_);
    ASSERT_EQ(found.find_first_not_of('\0', written_.size()), std::string::npos) << "zeroes behind it";
  }
  void close() {
    ASSERT_TRUE(file_->Close({}, nullptr).ok());
    EXPECT_EQ(read_file(path_), written_);
  }
  /// Whether the disk under the directory takes a direct write of one page.
  bool can() const {
    const int fd = ::open((dir_ + "/try").c_str(), O_CREAT | O_WRONLY | O_DIRECT | O_CLOEXEC, 0600);
    const bool taken = fd >= 0 && ::pwrite(fd, page_.get(), 4096, 0) == 4096;
    ::close(fd);
    return taken;
  }

  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::string dir_ = beside_this_program();
  std::string path_ = dir_ + "/000004.log";
  std::shared_ptr<Disk> disk_;
  std::unique_ptr<rocksdb::FSWritableFile> file_;
  std::unique_ptr<char, Free> page_;
  std::string written_;
  bool verified_ = false;
};

TEST_F(DirectWalFile, WritesWholeSectorsDirectlyWhereTheDiskTakesIt) {
  begin(Direct::real);
  append(4096);
  append(3 * 4096);
  append(40 * 4096);
  EXPECT_EQ(disk_->direct, can() ? 3u : 0u);
  EXPECT_EQ(disk_->plain, can() ? 0u : 3u);
  EXPECT_EQ(disk_->second, 0u);
  EXPECT_EQ(fs::file_size(path_), 3 * kStretch);
  close();
}

TEST_F(DirectWalFile, CopiesWhatLiesAtAnOddAddress) {
  begin(Direct::seeming);
  append(512, 1);
  append(1024, 512);
  append(4096, 511);
  append((3 << 20) + 512, 8);
  EXPECT_EQ(disk_->direct, 3u + 4u) << "the large one in pieces of 1 MiB";
  EXPECT_EQ(disk_->second, 0u);
  close();
}

TEST_F(DirectWalFile, WritesTheRestThroughThePageCache) {
  begin(Direct::seeming);
  append(512);
  append(100);
  append(412);  // ends at a sector
  append(1024);
  EXPECT_EQ(disk_->direct, 2u);
  EXPECT_EQ(disk_->second, 2u);
  verified_ = true;
  append(512);
  append(1);
  append(512);
  EXPECT_EQ(disk_->direct, 3u) << "the same with a checksum handed over";
  EXPECT_EQ(disk_->second, 4u);
  EXPECT_EQ(disk_->plain, 0u);
  close();
}

TEST_F(DirectWalFile, HoldsEveryByteOfAnyMixture) {
  for (const auto direct : {Direct::real, Direct::seeming}) {
    begin(direct);
    std::uint64_t random = 7;
    for (int i = 0; i < 300; ++i) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      const auto sectors = 1 + (random >> 40) % 9;
      const auto fill = (512 - written_.size() % 512) % 512;
      // A third of them ends at a sector after all, a third begins and ends there.
      const auto bytes = i % 3 == 0 ? (random >> 33) % 5000 : fill + sectors * 512;
      append(bytes, i % 5 == 0 ? 3 : 0);
    }
    EXPECT_GE(written_.size(), 5 * kStretch);
    EXPECT_GE(disk_->direct, can() || direct == Direct::seeming ? 1u : 0u);
    EXPECT_GE(disk_->second, can() || direct == Direct::seeming ? 1u : 0u);
    close();
  }
}

TEST_F(DirectWalFile, EndsWhereItsLastRecordEnds) {
  for (const auto direct : {Direct::real, Direct::seeming}) {
    for (const std::size_t tail : {0, 1, 511, 512, 700, 4096, 70'000}) {
      begin(direct);
      append(8192);
      append(tail);
      close();
      EXPECT_EQ(fs::file_size(path_), 8192 + tail);
    }
  }
}

TEST_F(DirectWalFile, GoesOnBehindACut) {
  begin(Direct::real);
  append(8192);
  for (const std::size_t cut : {6000, 4096, 0}) {
    ASSERT_TRUE(file_->Truncate(cut, {}, nullptr).ok());
    written_.resize(cut);
    EXPECT_EQ(file_->GetFileSize({}, nullptr), cut);
    EXPECT_EQ(read_file(path_), written_);
    append(4096);
    EXPECT_EQ(fs::file_size(path_), kStretch) << "zeroed again";
    append(100);
  }
  close();
}

TEST_F(DirectWalFile, IsAnOrdinaryOneWhereThatCannotBeHad) {
  for (const auto direct :
       {Direct::refused_at_open, Direct::refused_at_write, Direct::ignored, Direct::without_second_handle}) {
    begin(direct);
    append(512);
    append(4096);
    append(77);
    EXPECT_EQ(disk_->plain, 3u);
    EXPECT_EQ(disk_->direct, 0u);
    EXPECT_EQ(fs::file_size(path_), direct == Direct::without_second_handle ? written_.size() : kStretch);
    close();
  }
}

TEST_F(DirectWalFile, LeavesTheRoomOfAFullDiskToTheRecords) {
  begin(Direct::seeming);
  append(1024);
  disk_->zeroes_fail = IOStatus::NoSpace("full");
  append(kStretch);
  EXPECT_EQ(fs::file_size(path_), written_.size()) << "the zeroes that were written are cut";
  disk_->zeroes_fail = IOStatus::OK();
  append(512);
  append(100);
  EXPECT_EQ(fs::file_size(path_), written_.size()) << "and no more are tried";
  EXPECT_EQ(disk_->direct, 3u);
  close();
}

TEST_F(DirectWalFile, TakesNothingBehindAnAppendThatFailed) {
  for (const std::size_t bytes : {1024, 100}) {
    begin(Direct::seeming);
    append(512);
    (bytes == 1024 ? disk_->direct_fails : disk_->second_fails) = IOStatus::NoSpace("full");
    EXPECT_TRUE(try_append(bytes).IsNoSpace());
    disk_->direct_fails = disk_->second_fails = IOStatus::OK();
    const auto found = read_file(path_);
    EXPECT_EQ(found.size(), kStretch);
    EXPECT_EQ(found.find_last_not_of('\0') + 1, 512 + bytes / 2) << "half of it is there";
    for (const std::size_t later : {512, 100, 0}) {
      EXPECT_TRUE(try_append(later).IsNoSpace());
    }
    verified_ = true;
    EXPECT_TRUE(try_append(512).IsNoSpace());
    verified_ = false;
    ASSERT_TRUE(file_->Close({}, nullptr).ok());
    EXPECT_EQ(read_file(path_), found) << "nothing is written, nothing is cut";
  }
}

/// A log store on such files.
class LogOnDirectFiles : public DirectWalFile {
 protected:
  static constexpr std::uint64_t kEntries = 40;
  LogStoreOptions on(Direct direct) {
    disk_ = std::make_shared<Disk>(direct);
    env_ = rocksdb::NewCompositeEnv(zeroed_ahead(disk_));
    auto options = at(dir_ + "/log");
    options.env = env_.get();
    return options;
  }
  /// The last is larger than RocksDB's buffer.
  static Entry entry_at(std::uint64_t i) {
    return entry(i, 1, std::string(i == 2 * kEntries ? 3u << 20 : 331 * i, static_cast<char>('a' + i % 26)));
  }
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_F(LogOnDirectFiles, WritesNearlyEverythingDirectlyAndIsReadAgain) {
  for (const auto direct : {Direct::real, Direct::seeming, Direct::refused_at_open}) {
    fs::remove_all(dir_ + "/log");
    const auto options = on(direct);
    ASSERT_TRUE(LogStore::create(options, some_identity()));
    for (std::uint64_t from = 1; from <= 2 * kEntries; from += kEntries) {
      Opened log(options);
      ASSERT_TRUE(log) << why(log.error);
      disk_->direct = disk_->second = disk_->plain = 0;
      for (auto i = from; i < from + kEntries; ++i) {
        ASSERT_TRUE(log->write({storage::append({entry_at(i)})}));
      }
      if (direct == Direct::seeming) {
        EXPECT_GE(disk_->direct, kEntries - 1);
        EXPECT_LE(disk_->second, 10u) << "of the large one";
      }
      EXPECT_EQ(disk_->plain > 0, disk_->direct == 0) << "one way or the other";
      if (direct == Direct::refused_at_open) {
        EXPECT_EQ(disk_->direct, 0u);
      }
    }
    Opened again(options);
    ASSERT_TRUE(again) << why(again.error);
    EXPECT_EQ(again.found.torn_bytes, 0u);
    ASSERT_EQ(again->last().index, Index(2 * kEntries));
    const auto found = again->read(Index(1), Index(2 * kEntries), ~std::uint64_t{0});
    ASSERT_TRUE(found);
    for (const auto& each : *found) {
      EXPECT_TRUE(each == entry_at(each.id.index.value)) << each.id.index.value;
    }
  }
}

}  // namespace
}  // namespace kiwi::storage
