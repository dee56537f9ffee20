// The background scrub of the log's tables (storage/table_scrub.hpp): D13 for the log.

#include <filesystem>

#include "tests/unit/storage/log_testing.hpp"

namespace kiwi::storage {
namespace {

using testing::HasSubstr;

struct Scrub : testing::Test {
  TempDir temp;
  LogStoreOptions options;

  void SetUp() override {
    options.dir = temp.path();
    ASSERT_TRUE(LogStore::create(options, some_identity()));
  }
  /// A store whose entries lie in tables: recovery writes them there.
  std::unique_ptr<Opened> with_tables() {
    {
      Opened first(options);
      EXPECT_TRUE(first);
      EXPECT_TRUE(first->write({append(1, 400), vote(3, 2)}));
    }
    return std::make_unique<Opened>(options);
  }
  std::vector<std::string> tables() const {
    std::vector<std::string> all;
    for (const auto& file : std::filesystem::directory_iterator(options.dir))
      if (file.path().extension() == ".sst")
        all.push_back(file.path());
    return all;
  }
  static void flip(const std::string& path, std::uint64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    char c = 0;
    file.get(c);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(c ^ 1));
  }
  /// One round; its steps, or the error.
  static Result<int> round(LogStore& store, std::uint64_t step_bytes = 4096) {
    for (int steps = 1; steps < 10'000; ++steps) {
      auto done = store.scrub(step_bytes);
      if (!done)
        return tl::unexpected(done.error());
      if (*done)
        return steps;
    }
    ADD_FAILURE() << "a round has no end";
    return 0;
  }
};

TEST_F(Scrub, ReadsEveryByteOfEveryTableInSmallSteps) {
  auto opened = with_tables();
  ASSERT_TRUE(*opened);
  std::uint64_t bytes = 0;
  for (const auto& table : tables()) bytes += std::filesystem::file_size(table);
  ASSERT_GT(bytes, 0u);
  auto steps = round(*opened->store);
  ASSERT_TRUE(steps) << steps.error().cause;
  EXPECT_GE(*steps, static_cast<int>(bytes / 4096));
  const auto& figures = opened->store->scrub_figures();
  EXPECT_EQ(figures.bytes, bytes);
  EXPECT_EQ(figures.tables, tables().size());
  EXPECT_EQ(figures.unverified, 0u);
  EXPECT_EQ(figures.rounds, 1u);
  EXPECT_TRUE(round(*opened->store)) << "and again";
  EXPECT_EQ(figures.rounds, 2u);
}

TEST_F(Scrub, FindsOneFlippedBitWhereverItIsAndNamesTheFile) {
  for (const double where : {0.0, 0.25, 0.5, 0.75, 0.999}) {
    SCOPED_TRACE(where);
    std::filesystem::remove_all(options.dir);
    ASSERT_TRUE(LogStore::create(options, some_identity()));
    auto opened = with_tables();
    ASSERT_TRUE(*opened);
    ASSERT_FALSE(tables().empty());
    const auto table = tables().front();
    const auto size = std::filesystem::file_size(table);
    flip(table, static_cast<std::uint64_t>(where * static_cast<double>(size - 1)));
    auto found = round(*opened->store);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, StorageKind::corruption);
    EXPECT_EQ(found.error().subject, StorageSubject::log);
    EXPECT_THAT(found.error().cause, HasSubstr(std::filesystem::path(table).filename().string()));
    EXPECT_EQ(opened->store->scrub_figures().errors, 1u);
    EXPECT_TRUE(opened->store->poisoned()) << "nothing is acknowledged from it any more";
    EXPECT_FALSE(opened->store->write({append(401, 401)}));
  }
}

TEST_F(Scrub, AnEmptyLogIsSoundAtOnce) {
  Opened opened(options);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(round(*opened.store));
}

TEST_F(Scrub, WritesBetweenTheStepsDoNotDisturbIt) {
  auto opened = with_tables();
  ASSERT_TRUE(*opened);
  for (std::uint64_t i = 401; i < 460; ++i) {
    ASSERT_TRUE(opened->store->write({append(i, i)}));
    auto step = opened->store->scrub(512);
    ASSERT_TRUE(step) << step.error().cause;
  }
  EXPECT_EQ(opened->store->scrub_figures().errors, 0u);
}

}  // namespace
}  // namespace kiwi::storage
