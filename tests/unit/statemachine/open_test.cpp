// Opening what is there: fresh, foreign, damaged, or of another version.

#include <fstream>

#include "rocksdb/db.h"
#include "statemachine/data_format.hpp"
#include "tests/unit/statemachine/machine_fixture.hpp"

namespace kiwi::test {
namespace {

namespace fs = std::filesystem;

struct Open : ::testing::Test {
  Result<std::unique_ptr<RedisMachine>> open() {
    RedisMachineOptions options;
    options.dir = dir;
    return RedisMachine::open(options, three_nodes());
  }
  StorageError refused() {
    auto opened = open();
    EXPECT_FALSE(opened.has_value());
    return opened ? StorageError{} : opened.error();
  }
  /// A data directory with one flushed key.
  void make_data() {
    Machine machine(dir);
    machine.write("SET k v");
    ASSERT_TRUE(machine->flush().has_value());
  }
  void put_row(std::string_view row, const std::string& value) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, dir, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->Put({}, rocksdb::Slice(row.data(), row.size()), value).ok());
    ASSERT_TRUE(db->Flush({}).ok());
  }

  Folder folder;
  std::string dir = folder.path("data");
};

TEST_F(Open, AFreshDirectoryIsMadeDurably) {
  ASSERT_TRUE(open().has_value());
  auto again = open();
  ASSERT_TRUE(again.has_value()) << to_string(again.error());
  EXPECT_EQ((*again)->applied_state().membership, three_nodes());
  EXPECT_EQ((*again)->applied_state().applied, LogId{});
}

TEST_F(Open, ADirectoryOfOtherFilesIsRefused) {
  fs::create_directories(dir);
  std::ofstream(dir + "/holiday.jpg") << "x";
  const auto error = refused();
  EXPECT_EQ(error.kind, StorageKind::mismatch);
  EXPECT_EQ(error.subject, StorageSubject::state_machine);
  EXPECT_NE(error.cause.find("holiday.jpg"), std::string::npos) << error.cause;
}

TEST_F(Open, AForeignRocksDbIsRefused) {
  put_row("hello", "world");
  const auto error = refused();
  EXPECT_EQ(error.kind, StorageKind::mismatch);
  EXPECT_NE(error.cause.find("not one of kiwi"), std::string::npos) << error.cause;
}

TEST_F(Open, AnUnknownFormatVersionIsRefused) {
  make_data();
  put_row(data_format::kFormatRow, std::string("kiwi-data") + std::string("\2\0\0\0", 4));
  const auto error = refused();
  EXPECT_EQ(error.kind, StorageKind::mismatch);
  EXPECT_NE(error.cause.find("data format 2"), std::string::npos) << error.cause;
}

TEST_F(Open, ADamagedStateIsCorruption) {
  make_data();
  put_row(data_format::kStateRow, "short");
  EXPECT_EQ(refused().kind, StorageKind::corruption);
}

TEST_F(Open, AMissingTableIsCorruption) {
  make_data();
  for (const auto& file : fs::directory_iterator(dir))
    if (file.path().extension() == ".sst")
      fs::remove(file.path());
  EXPECT_EQ(refused().kind, StorageKind::corruption);
}

TEST_F(Open, AMissingCurrentFileIsCorruptionNotAFreshStart) {
  make_data();
  fs::remove(dir + "/CURRENT");
  const auto error = refused();
  EXPECT_EQ(error.kind, StorageKind::corruption);
  EXPECT_NE(error.cause.find("CURRENT"), std::string::npos) << error.cause;
}

TEST_F(Open, ADamagedRecordStopsTheMachineForGood) {
  make_data();
  const std::string key = "k";
  put_row(data_format::key_row(data_format::key_hash(key), key), "no record");
  Machine machine(dir);
  const auto answer = machine->query({1, machine.now_ms, encode_request({command_of({"GET", "k"})})});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, StorageKind::corruption);
  const auto result = machine->apply({machine.entry_of({"SET", "other", "v"})});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), answer.error());
}

TEST_F(Open, AnUndecodablePayloadInTheLogIsCorruption) {
  Machine machine(dir);
  const auto result = machine->apply({machine.entry_of(EntryKind::command, Bytes::copy_of("garbage"))});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, StorageKind::corruption);
  EXPECT_NE(result.error().cause.find("1/1"), std::string::npos) << result.error().cause;
}

// The bytes on disk are a promise to later versions: these texts may change only together with the version.
TEST(DataFormat, BytesOnDisk) {
  using namespace data_format;
  EXPECT_EQ(key_hash("foo"), 0xab6e5f64077e7d8aull);
  EXPECT_EQ(key_row(0x0102030405060708ull, "key"), std::string("k\1\2\3\4\5\6\7\10key"));
  EXPECT_EQ(expiry_row(0x0102030405060708ull, "key"), std::string("e\1\2\3\4\5\6\7\10key"));
  Meta meta;
  meta.written_ms = 0x1122;
  EXPECT_EQ(encode_record_header(meta).view(), std::string_view("\1\1\0\x22\x11\0\0\0\0\0\0", 11));
  meta.expire_at_ms = 5;
  meta.version = 6;
  meta.type = ValueType::zset;
  meta.encoding = StringEncoding::raw;
  const auto header = std::string(encode_record_header(meta).view());
  EXPECT_EQ(header, std::string("\1\5\15\x22\x11\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0", 27));
  Meta decoded;
  std::string_view payload;
  ASSERT_TRUE(decode_record(header + "payload", decoded, payload));
  EXPECT_EQ(payload, "payload");
  EXPECT_EQ(decoded.version, 6u);
  for (std::size_t size = 0; size < 27; ++size)
    EXPECT_FALSE(decode_record(header.substr(0, size), decoded, payload));
  EXPECT_EQ(encode_state({}).size(), 65u);
}

}  // namespace
}  // namespace kiwi::test
