// A record of the next format is refused for its version: not as damage of its bytes, and not passed over.

#include "lab/formats/newer_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "statemachine/data_format.hpp"
#include "storage/log_store.hpp"
#include "storage/testing/sim_env.hpp"

namespace kiwi::lab {
namespace {

using testing::HasSubstr;

class NewerFiles : public testing::Test {
 protected:
  void SetUp() override {
    storage::Identity identity;
    identity.cluster = ClusterId(9);
    identity.node = NodeId(1);
    identity.instance = InstanceId(77);
    identity.address = {"10.0.0.1", 7001, 17001};
    auto made = storage::LogStore::create(options(), identity);
    ASSERT_TRUE(made);
  }
  storage::LogStoreOptions options() {
    storage::LogStoreOptions o;
    o.dir = "/node/log";
    o.env = &machine_.env;
    o.simulated = true;
    return o;
  }
  tl::expected<std::string, std::string> newer(std::string_view record) {
    return make_newer(&machine_.env, "/node", record, [this] { machine_.env.run_jobs(); });
  }
  std::string refusal() {
    storage::Recovered recovered;
    auto opened = storage::LogStore::open(options(), recovered);
    return opened ? "it opens" : opened.error().cause;
  }

  sim::SimMachine machine_;
};

TEST_F(NewerFiles, TheMarkerOfALog) {
  ASSERT_EQ(refusal(), "it opens");
  ASSERT_TRUE(newer("marker"));
  EXPECT_THAT(refusal(), HasSubstr("format 3, this program knows only 1 to 2"));
}

TEST_F(NewerFiles, TheStateOfALog) {
  ASSERT_TRUE(newer("state"));
  EXPECT_THAT(refusal(), HasSubstr("unknown record version"));
}

TEST_F(NewerFiles, AnEntry) {
  EXPECT_FALSE(newer("entry")) << "there is none";
  {
    storage::Recovered recovered;
    auto store = storage::LogStore::open(options(), recovered);
    ASSERT_TRUE(store);
    LogWrite step;
    Entry entry;
    entry.id = {Term(1), Index(1)};
    step.entries.push_back(entry);
    ASSERT_TRUE((*store)->write({step}));
  }
  EXPECT_EQ(refusal(), "it opens");
  ASSERT_TRUE(newer("entry"));
  EXPECT_THAT(refusal(), HasSubstr("first bad index 1: unknown format version 2"));
}

TEST_F(NewerFiles, WhatIsNotThereIsNotMade) {
  EXPECT_FALSE(newer("data")) << "no data database";
  EXPECT_FALSE(newer("coffee"));
  EXPECT_EQ(refusal(), "it opens");
}

}  // namespace
}  // namespace kiwi::lab
