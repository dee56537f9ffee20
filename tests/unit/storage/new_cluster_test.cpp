// A directory becomes that of another cluster (kiwi-node recover): all of it or nothing, whenever the power
// fails.

#include <map>

#include "messages/cluster_id.hpp"
#include "messages/codec.hpp"
#include "sim_node.hpp"
#include "storage/log_format.hpp"

namespace kiwi::storage {
namespace {

Identity alone() {
  auto identity = some_identity();
  identity.cluster = ClusterId(1234);
  identity.initial_membership = membership_of({{NodeId(1), {"10.0.0.1", 7001, 17001}}});
  identity.origin = "recovered as the sole survivor of somebody";
  return identity;
}

LogWrite founding() {
  LogWrite step = vote(5, 1);
  auto founding = entry(11, 5);
  founding.kind = EntryKind::membership;
  founding.payload = Bytes(encode_membership(alone().initial_membership));
  step.entries.push_back(founding);
  return step;
}

/// Ten entries, a vote in term 4, bindings of both peers.
void fill(LogStore& store) {
  auto step = append(1, 10, 3);
  step.has_vote = true;
  step.vote = {Term(4), NodeId(2)};
  ASSERT_TRUE(store.write({step, bind(2, 22), bind(3, 33)}));
}

std::string told(const Recovered& found) {
  return "cluster " + to_string(found.identity.cluster) + " last " + to_string(found.last) + " term " +
         to_string(found.vote.term) + " vote " + to_string(found.vote.voted_for) + " bindings " +
         std::to_string(found.bindings.size()) + " members " +
         std::to_string(found.identity.initial_membership.members.size()) + " entries of members " +
         std::to_string(found.memberships.size()) + " origin '" + found.identity.origin + "'";
}

const char* const kOld =
    "cluster 9 last 3/10 term 4 vote 2 bindings 2 members 3 entries of members 0 origin ''";
const char* const kNew =
    "cluster 1234 last 5/11 term 5 vote 1 bindings 0 members 1 entries of members 1 origin 'recovered as the "
    "sole survivor of somebody'";

class NewClusterTest : public ::testing::TestWithParam<sim::PowerFailure> {};

TEST(NewCluster, IsThereAfterTheCallAndTakesWrites) {
  TempDir dir;
  ASSERT_TRUE(LogStore::create(at(dir.path()), some_identity()));
  {
    Opened opened(at(dir.path()));
    fill(*opened.store);
    ASSERT_TRUE(opened->begin_new_cluster(alone(), founding()));
    ASSERT_TRUE(opened->write({append(12, 12, 6), bind(2, 99)}));
  }
  Opened opened(at(dir.path()));
  ASSERT_TRUE(opened) << why(opened.error);
  EXPECT_EQ(opened.found.identity.cluster, ClusterId(1234));
  EXPECT_EQ(opened.found.bindings, (std::vector{PeerBinding{NodeId(2), InstanceId(99)}}))
      << "a peer of the new cluster may have the id of an old one";
  ASSERT_EQ(opened.found.memberships.size(), 1u);
  EXPECT_EQ(opened.found.memberships[0].first, log_id(5, 11));
  EXPECT_EQ(opened.found.last, log_id(6, 12));
}

TEST(NewCluster, OriginsTellClustersApartOnTheSameAddresses) {
  const auto id = [](const char* token, const char* origin) {
    return cluster_id_of(three_voters(), token, origin);
  };
  EXPECT_EQ(id("t", ""), cluster_id_of(three_voters(), "t"));
  EXPECT_NE(id("t", "restored from backup 1-2-3"), id("t", ""));
  EXPECT_NE(id("t", "restored from backup 1-2-3"), id("t", "restored from backup 1-2-4"));
  EXPECT_NE(id("t", "restored from backup 1-2-3"), id("u", "restored from backup 1-2-3"));
}

TEST(NewCluster, AnIdentityWithoutOriginHasTheBytesItAlwaysHad) {
  const auto plain = encode_identity(some_identity()), with_origin = encode_identity(alone());
  EXPECT_EQ(decode_identity(plain)->origin, "");
  EXPECT_EQ(decode_identity(with_origin)->origin, alone().origin);
  EXPECT_EQ(decode_identity(with_origin)->initial_membership, alone().initial_membership);
}

TEST_P(NewClusterTest, IsAllThereOrNotAtAllWheneverThePowerFails) {
  std::vector<sim::SimDisk> images;
  Node node;
  ASSERT_TRUE(node.create());
  ASSERT_TRUE(node.open());
  fill(node.store());
  node.machine.fs->before_change(
      [&](const std::string&) { images.push_back(node.machine.disk.after_power_failure(GetParam())); });
  ASSERT_TRUE(node.store().begin_new_cluster(alone(), founding()));
  images.push_back(node.machine.disk.after_power_failure(GetParam()));
  ASSERT_GE(images.size(), 3u);
  std::map<std::string, int> seen;
  for (auto& image : images) {
    Node after(std::move(image));
    ASSERT_TRUE(after.open()) << why(after.opened->error);
    ++seen[told(after.found())];
  }
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_GE(seen[kOld], 1);
  EXPECT_GE(seen[kNew], 1);
  for (const auto& [what, times] : seen) {
    EXPECT_TRUE(what == kOld || what == kNew) << what;
  }
}

INSTANTIATE_TEST_SUITE_P(Kept, NewClusterTest,
                         ::testing::Values(sim::PowerFailure{0, false, 0}, sim::PowerFailure{0, false, 1000},
                                           sim::PowerFailure{1, false, 1000},
                                           sim::PowerFailure{700, false, 2},
                                           sim::PowerFailure{1u << 30, false, 1000},
                                           sim::PowerFailure{0, true, 1000},
                                           sim::PowerFailure{513, true, 0}));

}  // namespace
}  // namespace kiwi::storage
