// What `kiwi-node inspect` says about a log: every flipped bit that matters is found and named, and looking
// changes nothing.

#include "storage/verify_log.hpp"

#include <algorithm>
#include <map>

#include "log_testing.hpp"

namespace kiwi::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using Image = std::map<std::string, std::string>;

Image image_of(const std::string& dir) {
  Image image;
  for (const auto& file : fs::recursive_directory_iterator(dir)) {
    if (file.is_regular_file()) {
      image[file.path().string()] = read_file(file.path().string());
    }
  }
  return image;
}

std::string text_of(const Findings& findings) {
  std::string text;
  for (const auto& f : findings) {
    text += std::string(to_string(f.kind)) + ": " + f.what + ", " + f.where + ": " + f.why + "\n";
  }
  return text;
}

/// Entries 1 to 15 in a table, some votes in another one, 16 to 30 and more votes in the write-ahead log.
class VerifyLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(LogStore::create(at(dir()), some_identity()));
    write(1, 15);
    write(16, 30);
    for (const auto& [path, bytes] : image_of(dir())) {
      if (path.ends_with(".sst")) {
        (bytes.find("the-payload-of-") != std::string::npos ? table_ : table_of_votes_) = path;
      } else if (path.ends_with(".log") && !bytes.empty()) {
        wal_ = path;
      }
    }
    ASSERT_FALSE(table_.empty());
    ASSERT_FALSE(table_of_votes_.empty());
    ASSERT_FALSE(wal_.empty());
  }
  void write(std::uint64_t first, std::uint64_t last) {
    Opened opened(at(dir()));
    ASSERT_TRUE(opened) << why(opened.error);
    for (auto i = first; i <= last; ++i) {
      auto step = append({entry(i, 1, "the-payload-of-" + std::to_string(i))});
      step.has_vote = true;
      step.vote = {Term(1000 + i), NodeId(0x4b4b4b4b)};
      ASSERT_TRUE(opened->write({step}));
    }
  }
  LogReport look() const { return verify_log(at(dir()), {}); }
  void flip(const std::string& path, std::size_t byte) {
    auto bytes = read_file(path);
    bytes[byte] = static_cast<char>(bytes[byte] ^ 0x10);
    write_file(path, bytes);
  }
  std::string dir() const { return dir_.path(); }

  TempDir dir_;
  std::string table_, table_of_votes_, wal_;
};

TEST_F(VerifyLogTest, AWholeLogHasNoFindingsAndIsTold) {
  const auto before = image_of(dir());
  const auto report = look();
  EXPECT_EQ(text_of(report.findings), "");
  ASSERT_TRUE(report.there && report.recovered && report.state && report.identity);
  EXPECT_EQ(report.recovered->last, log_id(1, 30));
  EXPECT_EQ(report.recovered->entries, 30u);
  EXPECT_EQ(report.state->vote.term, Term(1030));
  EXPECT_EQ(report.identity->node, NodeId(1));
  EXPECT_EQ(image_of(dir()), before);
}

TEST_F(VerifyLogTest, NoLogIsNoDamage) {
  const auto report = verify_log(at(dir() + "-not-there"), {});
  EXPECT_FALSE(report.there);
  EXPECT_EQ(text_of(report.findings), "");
  EXPECT_FALSE(fs::exists(dir() + "-not-there"));
}

TEST_F(VerifyLogTest, ABitOfAnEntryInATableIsNamed) {
  flip(table_, read_file(table_).find("the-payload-of-7"));
  const auto report = look();
  EXPECT_THAT(text_of(report.findings), HasSubstr("damage: entry 7, " + table_));
  EXPECT_THAT(text_of(report.findings), HasSubstr("damage: table of the log, " + table_));
  EXPECT_FALSE(report.recovered);
  ASSERT_TRUE(report.state) << "the write-ahead log still tells the ends";
  EXPECT_EQ(report.state->last, log_id(1, 30));
}

TEST_F(VerifyLogTest, ABitOfTheVoteInATableIsNamed) {
  flip(table_of_votes_, read_file(table_of_votes_).find("KKKK"));
  EXPECT_THAT(text_of(look().findings),
              HasSubstr("damage: the vote and the ends of the log, " + table_of_votes_));
}

TEST_F(VerifyLogTest, ABitOfTheVoteInTheWriteAheadLogIsNamed) {
  flip(wal_, read_file(wal_).find("KKKK"));
  const auto text = text_of(look().findings);
  EXPECT_THAT(text, HasSubstr("damage: write-ahead log of the log (the vote and the ends of the log), " +
                              wal_ + " at offset "));
}

TEST_F(VerifyLogTest, ABitOfAnEntryInTheWriteAheadLogIsNamed) {
  flip(wal_, read_file(wal_).find("the-payload-of-20"));
  EXPECT_THAT(text_of(look().findings), HasSubstr("damage: write-ahead log of the log (entry 20), " + wal_));
}

TEST_F(VerifyLogTest, TheNewestWriteMayBeTornOrDamaged) {
  flip(wal_, read_file(wal_).rfind("the-payload-of-30"));
  const auto report = look();
  EXPECT_THAT(text_of(report.findings), HasSubstr("torn: write-ahead log of the log (entry 30), " + wal_));
  EXPECT_FALSE(has_damage(report.findings));
  ASSERT_TRUE(report.recovered);
  EXPECT_EQ(report.recovered->last, log_id(1, 29));
}

TEST_F(VerifyLogTest, DamageInTwoPlacesIsNamedTwice) {
  flip(table_, read_file(table_).find("the-payload-of-7"));
  flip(wal_, read_file(wal_).find("the-payload-of-20"));
  const auto text = text_of(look().findings);
  EXPECT_THAT(text, HasSubstr("entry 7, "));
  EXPECT_THAT(text, HasSubstr("(entry 20)"));
}

TEST_F(VerifyLogTest, AMissingTableAndASpoiltMarkerAreNamed) {
  fs::remove(table_);
  EXPECT_TRUE(has_damage(look().findings));
  flip(dir() + "/KIWI-LOG", 30);
  EXPECT_THAT(text_of(look().findings), HasSubstr("marker of the log"));
}

TEST_F(VerifyLogTest, ATornManifestIsSeenThroughAndNotCut) {
  std::string manifest;
  for (const auto& [path, bytes] : image_of(dir())) {
    if (fs::path(path).filename().string().starts_with("MANIFEST-")) {
      manifest = path;
    }
  }
  // The length of a record of 100 bytes, and none of its bytes.
  write_file(manifest,
             read_file(manifest) + std::string("\x11\x22\x33\x44\x64\x00\x01", 7) + std::string(100, '\0'));
  const auto before = image_of(dir());
  const auto report = look();
  EXPECT_THAT(text_of(report.findings), HasSubstr("torn: MANIFEST of the log, " + manifest + " at offset "));
  EXPECT_FALSE(has_damage(report.findings)) << text_of(report.findings);
  ASSERT_TRUE(report.recovered);
  EXPECT_EQ(report.recovered->last, log_id(1, 30));
  EXPECT_EQ(image_of(dir()), before);
}

TEST_F(VerifyLogTest, AHalfWrittenTableThatACrashLeftIsNoDamage) {
  write_file(dir() + "/000099.sst", "");
  const auto report = look();
  EXPECT_THAT(text_of(report.findings), HasSubstr("note: table of the log, " + dir() + "/000099.sst"));
  EXPECT_FALSE(has_damage(report.findings));
  EXPECT_TRUE(report.recovered);
  fs::remove(table_);
  EXPECT_THAT(text_of(look().findings), HasSubstr("damage: log, " + dir() + ": it cannot be opened: "));
  EXPECT_THAT(text_of(look().findings), HasSubstr("/" + fs::path(table_).stem().string() + "."));
}

/// The next start is the judge: where it would not find everything, there is a finding.
TEST_F(VerifyLogTest, NoFlippedBitThatMattersIsOverlooked) {
  const auto sound = image_of(dir());
  int found = 0, harmless = 0;
  for (const auto& [path, bytes] : sound) {
    const auto name = fs::path(path).filename().string();
    if (name.starts_with("LOG") || name == "LOCK") {
      continue;
    }
    for (std::size_t byte = 0; byte < bytes.size(); byte += 1 + bytes.size() / 60) {
      flip(path, byte);
      const auto before = image_of(dir());
      const auto report = look();
      EXPECT_EQ(image_of(dir()), before) << path << " byte " << byte << ": looking changed something";
      if (report.findings.empty()) {
        ++harmless;
        Opened opened(at(dir()));
        EXPECT_TRUE(opened) << path << " byte " << byte << " was overlooked: " << why(opened.error);
        EXPECT_EQ(opened.found.entries, 30u) << path << " byte " << byte << " was overlooked";
      } else {
        ++found;
      }
      fs::remove_all(dir());
      fs::create_directories(dir());
      for (const auto& [there, whole] : sound) {
        write_file(there, whole);
      }
    }
  }
  EXPECT_GT(found, 100);
  std::printf("%d found, %d harmless\n", found, harmless);
}

}  // namespace
}  // namespace kiwi::storage
