// INFO: a status full of distinct numbers goes in, and each must come out in its place and nowhere else.

#include <map>
#include <sstream>

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Fields = std::map<std::string, std::string>;

Fields fields_of(const std::string& text) {
  Fields out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty() || line.front() == '#')
      continue;
    const auto colon = line.find(':');
    EXPECT_NE(colon, std::string::npos) << line;
    EXPECT_TRUE(out.emplace(line.substr(0, colon), line.substr(colon + 1)).second) << "twice: " << line;
  }
  return out;
}

struct FullServer : Server {
  FullServer() {
    auto e = *environment;
    e.raft_port = 1001;
    e.run_id = "run-id";
    e.os = "Linux 6";
    e.executable = "/bin/kiwi-node";
    environment = std::make_shared<ServerEnvironment>(e);
    session = connect();
    process = {.pid = 1101,
               .uptime_s = 100'000,
               .unix_time_us = 1103,
               .allocated_bytes = 1104,
               .rss_bytes = 1105,
               .peak_rss_bytes = 1106,
               .total_memory_bytes = 1107,
               .cpu_system_us = 2'000'011,
               .cpu_user_us = 1'112};
    auto& totals = registry->totals();
    totals.rejected_connections = 1201;
    totals.error_replies = 1202;
    totals.input_bytes = 1203;
    totals.output_bytes = 1204;
    totals.protocol_errors = 1205;
    session->info().query_buffer_bytes = 1206;
    session->info().reply_buffer_bytes = 1207;
    session->info().waiting_replies = 1208;
    status.instance = InstanceId(0x1301);
    status.cluster = ClusterId(0x1302);
    status.term = Term(1303);
    status.commit = Index(1304);
    status.applied = Index(1305);
    status.durable = Index(1306);
    status.last_log = {Term(1307), Index(1308)};
    status.uncommitted_bytes = 1309;
    status.log_memory_bytes = 1310;
    status.pending_proposals = 1311;
    status.agreed_time_ms = 1312;
    status.counters = {1401, 1402, 1403, 1404, 1405, 1406, 1407, 1408, 1409, 1410, 1411,
                       1414, 1415, 1412, 1413, 1416, 1417, 1418, 1419, 1420, 1421};
    status.change.configuration = Index(1901);
    status.change.committed = true;
    status.change.phase = raft::ChangeStatus::Phase::catching_up;
    status.change.node = NodeId(4);
    status.change.replaced = NodeId(3);
    status.change.match = Index(1902);
    status.change.last = Index(1905);
    status.change.rounds = 1904;
    status.change.rounds_needed = 1906;
    status.change.silent = {NodeId(3)};
    status.change.removed = {NodeId(8), NodeId(9)};
    status.disk_room = DiskRoom::low;
    status.disk_free_bytes = 1316;
    status.disk_reserve_bytes = 1317;
    status.takes_writes = true;
    status.out_of_service = "no\r\nspace";
    status.reopen_attempts = 1318;
    status.reopened = 1319;
    status.data_damaged = 1320;
    status.log_bytes = 1313;
    status.log_purged = {Term(1314), Index(1315)};
    status.needs_snapshot = true;
    status.snapshots.builds = 1801;
    status.snapshots.build_failures = 1802;
    status.snapshots.last_build_ms = 1803;
    status.snapshots.sent_bytes = 1804;
    status.snapshots.received_bytes = 1805;
    status.snapshots.reused_bytes = 1806;
    status.snapshots.receiving = {"2-9-00000000000000aa", 1807, 1808};
    status.with_stats = true;
    status.log_store = {.syncs = 10,
                        .sync_last_us = 1502,
                        .sync_max_us = 1503,
                        .sync_total_us = 15'040,
                        .entries_written = 1505,
                        .bytes_written = 1506,
                        .disk_bytes = 1507,
                        .scrub = {1508, 1509, 1510, 1511, 1512, "000012.sst:4096"}};
    status.state = {.keys = 1601,
                    .keys_with_expiry = 1602,
                    .expired_keys = 1603,
                    .entries_applied = 1604,
                    .batches_applied = 1605,
                    .queries = 1606,
                    .disk_bytes = 1607,
                    .memory_bytes = 1608,
                    .durable_applied = Index(1609),
                    .keyspace_hits = 1610,
                    .keyspace_misses = 1611,
                    .scrub = {1612, 1613, 1614, 1615, 1616, ""}};
    auto& two = status.followers[0];
    two.next = Index(1701);
    two.inflight_appends = 1702;
    two.inflight_bytes = 1703;
    two.state = raft::ProgressState::replicate;
  }
};

TEST(Info, EveryFigureIsInItsPlace) {
  FullServer s;
  const Fields expected = {
      {"redis_version", "7.0.15"},
      {"kiwi_version", "0.1.0"},
      {"redis_mode", "cluster"},
      {"os", "Linux 6"},
      {"arch_bits", "64"},
      {"process_id", "1101"},
      {"run_id", "run-id"},
      {"tcp_port", "7001"},
      {"raft_port", "1001"},
      {"server_time_usec", "1103"},
      {"uptime_in_seconds", "100000"},
      {"uptime_in_days", "1"},
      {"executable", "/bin/kiwi-node"},
      {"config_file", ""},
      {"connected_clients", "1"},
      {"maxclients", "10000"},
      {"client_recent_max_input_buffer", "1206"},
      {"client_recent_max_output_buffer", "1207"},
      {"commands_in_flight", "1208"},
      {"used_memory", "1104"},
      {"used_memory_rss", "1105"},
      {"used_memory_rss_peak", "1106"},
      {"total_system_memory", "1107"},
      {"maxmemory", "0"},
      {"maxmemory_policy", "noeviction"},
      {"raft_log_memory", "1310"},
      {"state_machine_memory", "1608"},
      {"loading", "0"},
      {"log_disk_bytes", "1507"},
      {"data_disk_bytes", "1607"},
      {"data_durable_applied_index", "1609"},
      {"total_connections_received", "2"},
      {"total_commands_processed", "1"},
      {"total_net_input_bytes", "1203"},
      {"total_net_output_bytes", "1204"},
      {"rejected_connections", "1201"},
      {"total_error_replies", "1202"},
      {"protocol_errors", "1205"},
      {"expired_keys", "1603"},
      {"keyspace_hits", "1610"},
      {"keyspace_misses", "1611"},
      {"entries_applied", "1604"},
      {"apply_batches", "1605"},
      {"state_queries", "1606"},
      {"role", "master"},
      {"connected_slaves", "1"},
      {"slave0", "ip=10.0.0.2,port=7002,state=online,offset=39"},
      {"master_repl_offset", "1308"},
      {"raft_node_id", "1"},
      {"raft_instance_id", "0000000000001301"},
      {"raft_has_cluster", "1"},
      {"raft_cluster_id", "0000000000001302"},
      {"raft_role", "leader"},
      {"raft_term", "1303"},
      {"raft_leader", "1"},
      {"raft_leader_ready", "1"},
      {"raft_caught_up", "1"},
      {"raft_commit_index", "1304"},
      {"raft_applied_index", "1305"},
      {"raft_durable_index", "1306"},
      {"raft_last_log_index", "1308"},
      {"raft_last_log_term", "1307"},
      {"raft_uncommitted_bytes", "1309"},
      {"raft_log_memory_bytes", "1310"},
      {"raft_log_bytes", "1313"},
      {"raft_log_purged_index", "1315"},
      {"raft_needs_snapshot", "1"},
      {"raft_pending_proposals", "1311"},
      {"raft_agreed_time_ms", "1312"},
      {"raft_disk_room", "low"},
      {"raft_disk_free_bytes", "1316"},
      {"raft_disk_reserve_bytes", "1317"},
      {"raft_takes_writes", "1"},
      {"raft_out_of_service", "1"},
      {"raft_out_of_service_reason", "no  space"},
      {"raft_out_of_service_attempts", "1318"},
      {"raft_reopened", "1319"},
      {"raft_data_damaged", "1320"},
      {"raft_voters", "1 2 3"},
      {"raft_learners", ""},
      {"raft_configuration", "1901"},
      {"raft_configuration_committed", "1"},
      {"raft_joint", "0"},
      {"raft_change", "catching_up"},
      {"raft_change_node", "4"},
      {"raft_change_replaces", "3"},
      {"raft_change_match", "1902"},
      {"raft_change_lag", "3"},
      {"raft_change_rounds", "1904"},
      {"raft_change_rounds_needed", "1906"},
      {"raft_missing_nodes", "3"},
      {"raft_removed_nodes", "8 9"},
      {"raft_removed", "0"},
      {"raft_membership_changes", "1416"},
      {"raft_transfers", "1417"},
      {"raft_transfers_aborted", "1418"},
      {"raft_connected_peers", "2"},
      {"raft_elections_started", "1401"},
      {"raft_elections_won", "1402"},
      {"raft_pre_votes_started", "1403"},
      {"raft_early_pre_votes", "1421"},
      {"raft_votes_granted", "1404"},
      {"raft_step_downs", "1405"},
      {"raft_check_quorum_failures", "1406"},
      {"raft_step_downs_own_disk", "1412"},
      {"raft_step_downs_no_commit", "1413"},
      {"raft_handovers", "1419"},
      {"raft_proposals", "1407"},
      {"raft_proposals_refused", "1408"},
      {"raft_reads", "1409"},
      {"raft_read_rounds", "1410"},
      {"raft_lease_reads", "1420"},
      {"raft_append_mismatches", "1411"},
      {"raft_log_purges", "1414"},
      {"raft_snapshots_installed", "1415"},
      {"raft_log_fsyncs", "10"},
      {"raft_log_fsync_last_us", "1502"},
      {"raft_log_fsync_max_us", "1503"},
      {"raft_log_fsync_avg_us", "1504"},
      {"raft_log_entries_written", "1505"},
      {"raft_log_bytes_written", "1506"},
      {"raft_log_disk_bytes", "1507"},
      {"raft_log_scrub_rounds", "1508"},
      {"raft_log_scrub_bytes", "1509"},
      {"raft_log_scrub_tables", "1510"},
      {"raft_log_scrub_unverified", "1511"},
      {"raft_log_scrub_errors", "1512"},
      {"raft_log_scrub_position", "000012.sst:4096"},
      {"raft_data_scrub_rounds", "1612"},
      {"raft_data_scrub_bytes", "1613"},
      {"raft_data_scrub_tables", "1614"},
      {"raft_data_scrub_unverified", "1615"},
      {"raft_data_scrub_errors", "1616"},
      {"raft_data_scrub_position", ""},
      {"raft_snapshots_built", "1801"},
      {"raft_snapshot_build_failures", "1802"},
      {"raft_snapshot_last_build_ms", "1803"},
      {"raft_snapshot_sent_bytes", "1804"},
      {"raft_snapshot_received_bytes", "1805"},
      {"raft_snapshot_reused_bytes", "1806"},
      {"raft_snapshot_receiving", "2-9-00000000000000aa"},
      {"raft_snapshot_receiving_bytes", "1807"},
      {"raft_snapshot_receiving_of", "1808"},
      {"raft_follower0",
       "id=2,address=10.0.0.2:7002@17002,voter=1,state=replicate,match=39,next=1701,lag=1269,"
       "inflight_appends=1702,inflight_bytes=1703,active=1,disk_room=enough"},
      {"raft_follower1",
       "id=3,address=10.0.0.3:7003@17003,voter=1,state=probe,match=12,next=0,lag=1296,inflight_appends=0,"
       "inflight_bytes=0,active=0,disk_room=enough"},
      {"used_cpu_sys", "2.000011"},
      {"used_cpu_user", "0.001112"},
      {"cluster_enabled", "1"},
      {"db0", "keys=1601,expires=1602,avg_ttl=0"},
  };
  const auto got = fields_of(s.reply("INFO").text.str());
  for (const auto& [name, value] : expected)
    EXPECT_EQ(got.count(name) != 0 ? got.at(name) : "(missing)", value) << name;
  for (const auto& [name, value] : got)
    EXPECT_TRUE(expected.count(name) != 0) << "nobody checks " << name << ":" << value;
}

TEST(Info, SectionsComeInOrderAndOnRequest) {
  FullServer s;
  auto text = [&](std::string_view line) { return s.reply(line).text.str(); };
  EXPECT_EQ(text("INFO cluster"), "# Cluster\r\ncluster_enabled:1\r\n");
  EXPECT_EQ(text("INFO KEYSPACE cluster"),
            "# Cluster\r\ncluster_enabled:1\r\n\r\n# Keyspace\r\ndb0:keys=1601,expires=1602,avg_ttl=0\r\n");
  EXPECT_EQ(text("INFO nosuch"), "");
  EXPECT_THAT(text("INFO nosuch cpu"), StartsWith("# CPU\r\n"));
  for (const auto* all : {"INFO all", "INFO default", "INFO everything", "INFO cluster ALL"})
    EXPECT_THAT(text(all), ::testing::AllOf(StartsWith("# Server\r\n"), HasSubstr("\r\n# Raft\r\n")));
  EXPECT_EQ(s.says("INFO cluster"), "$30\r\n# Cluster\r\ncluster_enabled:1\r\n\r\n");
  s.says("HELLO 3");
  EXPECT_EQ(s.says("INFO cluster"), "=34\r\ntxt:# Cluster\r\ncluster_enabled:1\r\n\r\n");
}

TEST(Info, FiguresThatWereNotAskedForAreLeftOut) {
  FullServer s;
  s.status.with_stats = false;
  const auto got = fields_of(s.reply("INFO").text.str());
  for (const auto* name : {"expired_keys", "keyspace_hits", "raft_log_fsyncs", "db0", "log_disk_bytes"})
    EXPECT_EQ(got.count(name), 0u) << name;
  EXPECT_EQ(got.at("raft_term"), "1303");
}

TEST(Info, AnEmptyKeyspaceHasNoLine) {
  FullServer s;
  s.status.state.keys = 0;
  EXPECT_EQ(s.reply("INFO keyspace").text.str(), "# Keyspace\r\n");
}

TEST(Info, AFollowerNamesItsLeader) {
  FullServer s;
  s.status = follower_status();
  EXPECT_EQ(
      s.reply("INFO replication").text.str(),
      "# Replication\r\nrole:slave\r\nmaster_host:10.0.0.2\r\nmaster_port:7002\r\nmaster_link_status:up\r\n"
      "slave_repl_offset:40\r\nslave_read_only:1\r\nconnected_slaves:0\r\n");
  s.status = no_leader_status();
  EXPECT_EQ(s.reply("INFO replication").text.str(),
            "# Replication\r\nrole:slave\r\nmaster_link_status:down\r\nslave_repl_offset:40\r\n"
            "slave_read_only:1\r\nconnected_slaves:0\r\n");
}

TEST(Info, LoadingUntilAFollowerCaughtUp) {
  FullServer s;
  auto loading = [&] { return fields_of(s.reply("INFO persistence").text.str()).at("loading"); };
  s.status = follower_status();
  s.status.caught_up = false;
  EXPECT_EQ(loading(), "1");
  s.status.role = raft::Role::leader;
  EXPECT_EQ(loading(), "0");
  s.status = no_cluster_status();
  EXPECT_EQ(loading(), "0") << "there is nothing to load yet";
  EXPECT_EQ(fields_of(s.reply("INFO raft").text.str()).count("raft_cluster_id"), 0u);
}

}  // namespace
}  // namespace kiwi::testing
