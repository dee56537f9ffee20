// Parts: packed where that helps, and never believed before they are checked. Manifests from outside.

#include <gmock/gmock.h>

#include "actors/snapshot_coding.hpp"
#include "actors/snapshot_manifest_check.hpp"
#include "messages/limits.hpp"
#include "snapshot_world.hpp"

namespace kiwi::test {
namespace {

const SnapshotFetch kFetch{"3-100-1", 2, 4096, 4096};

TEST(SnapshotCodingTest, WhatPacksTravelsPackedAndWhatDoesNotTravelsPlain) {
  auto packs = make_part(kFetch, prose(1, 4096), true);
  EXPECT_EQ(packs.coding, PartCoding::lz4);
  EXPECT_LT(packs.data.size(), 2048u);
  EXPECT_EQ(content_of(packs, 4096), prose(1, 4096));
  for (const auto& part :
       {make_part(kFetch, noise(1, 4096), true), make_part(kFetch, prose(1, 4096), false)}) {
    EXPECT_EQ(part.coding, PartCoding::plain);
    EXPECT_EQ(part.data.size(), 4096u);
    EXPECT_EQ(part.offset, 4096u);
    EXPECT_EQ(part.file, 2u);
    EXPECT_EQ(content_of(part, 4096).value(), part.data.str());
  }
  EXPECT_EQ(content_of(make_part(kFetch, "a", true), 1), "a");
}

TEST(SnapshotCodingTest, NoFlippedBitIsBelieved) {
  for (const auto& good : {make_part(kFetch, prose(1, 600), true), make_part(kFetch, noise(1, 60), true)}) {
    for (std::size_t bit = 0; bit < good.data.size() * 8; ++bit) {
      auto bytes = good.data.str();
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      auto bad = good;
      bad.data = Bytes(std::move(bytes));
      // A flip inside an LZ4 back reference may unpack to the same bytes: then it did no harm.
      if (auto content = content_of(bad, good.bytes)) {
        EXPECT_EQ(content, content_of(good, good.bytes)) << bit;
      }
    }
    auto lies = good;
    lies.checksum ^= 1;
    EXPECT_FALSE(content_of(lies, good.bytes));
  }
}

TEST(SnapshotCodingTest, APartOfAnotherSizeThanAskedForIsNotUnpacked) {
  const auto part = make_part(kFetch, prose(1, 4096), true);
  EXPECT_FALSE(content_of(part, 4095));
  auto bomb = part;
  bomb.bytes = 16;
  EXPECT_FALSE(content_of(bomb, 16)) << "256 times as much as it says";
  bomb.bytes = 8192;
  EXPECT_FALSE(content_of(bomb, 8192));
  bomb.coding = static_cast<PartCoding>(7);
  EXPECT_FALSE(content_of(bomb, 8192));
  auto empty = make_gone(kFetch);
  EXPECT_FALSE(content_of(empty, 4096));
}

struct ManifestTest : testing::Test {
  SnapshotManifest manifest = [] {
    FakeState state;
    state.files = {{"CURRENT", "MANIFEST-000005\n"}, {"000007.sst", noise(1, 100)}, {"empty", ""}};
    return manifest_of(state);
  }();
  void expect_refused(const std::string& why) {
    auto fault = manifest_fault(manifest);
    ASSERT_TRUE(fault) << why;
    EXPECT_THAT(*fault, testing::HasSubstr(why));
    for (char c : *fault) EXPECT_TRUE(c >= ' ' && c != '"' && c != 127) << "it goes into a log line";
  }
};

TEST_F(ManifestTest, AGoodOneIsGood) { EXPECT_EQ(manifest_fault(manifest), std::nullopt); }

TEST_F(ManifestTest, NamesThatLeadElsewhereAreRefused) {
  for (std::string name : {"", ".", "..", "../data/CURRENT", "a/b", "/etc/passwd", ".hidden", "a b", "x.part",
                           "x.have", "x.tmp", "MANIFEST-OF-SNAPSHOT", "a\nevent=fake", "\xff"}) {
    manifest.files[1].file = name;
    expect_refused("file 1 of the snapshot has no good name");
  }
  manifest.files[1].file = std::string("a\0b", 3);
  expect_refused("no good name");
  manifest.files[1].file = std::string(129, 'x');
  expect_refused("no good name");
}

TEST_F(ManifestTest, SoAreDoublesSizesAndCountsBeyondTheLimits) {
  manifest.files[2].file = manifest.files[0].file;
  expect_refused("has the name of another");
  manifest.files[2].file = "other";
  manifest.files[2].bytes = ~0ull;
  expect_refused("larger than");
  manifest.files[1].bytes = manifest.files[2].bytes = kMaxSnapshotBytes;
  expect_refused("larger than");
  manifest.files.clear();
  expect_refused("no files");
  manifest.files.resize(kMaxSnapshotFiles + 1);
  expect_refused("more than");
}

TEST_F(ManifestTest, SoIsAnIdThatIsNoFolderName) {
  for (std::string id : {"", "..", "a/b", "3-100-1.", "a b", "3\n"}) {
    manifest.meta.snapshot_id = id;
    expect_refused("id");
  }
  manifest.meta.snapshot_id = std::string(129, '1');
  expect_refused("id");
}

}  // namespace
}  // namespace kiwi::test
