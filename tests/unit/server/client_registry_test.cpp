#include "server/client_registry.hpp"

#include "tests/unit/server/server_fixture.hpp"

namespace kiwi::testing {
namespace {

using ::testing::HasSubstr;

TEST(ClientRegistry, NumbersAreNeverUsedTwice) {
  ClientRegistry registry;
  ClientInfo a;
  ClientInfo b;
  ClientInfo c;
  registry.add(a);
  registry.add(b);
  EXPECT_EQ(a.id, 1u);
  EXPECT_EQ(b.id, 2u);
  registry.remove(b);
  registry.add(c);
  EXPECT_EQ(c.id, 3u);
  EXPECT_EQ(registry.size(), 2u);
  EXPECT_EQ(registry.find(1), &a);
  EXPECT_EQ(registry.find(2), nullptr);
  EXPECT_EQ(registry.totals().connections, 3u);
}

TEST(ClientRegistry, ForgettingAStrangerIsABug) {
  ClientRegistry registry;
  const ClientInfo stranger;
  EXPECT_DEATH(registry.remove(stranger), "only what is registered is removed");
}

TEST(ClientRegistry, ALineShowsEveryFieldInItsPlace) {
  ClientInfo info;
  info.id = 11;
  info.address = "1.2.3.4:5";
  info.local_address = "6.7.8.9:10";
  info.fd = 12;
  info.name = "n";
  info.connected_ms = 1'000;
  info.last_command_ms = 14'999;
  info.last_command = "get";
  info.version = RespVersion::resp3;
  info.readonly = true;
  info.no_evict = true;
  info.closing = true;
  info.query_buffer_bytes = 15;
  info.waiting_replies = 16;
  info.reply_buffer_bytes = 17;
  EXPECT_EQ(
      client_line(info, 20'500),
      "id=11 addr=1.2.3.4:5 laddr=6.7.8.9:10 fd=12 name=n age=19 idle=5 flags=rce db=0 sub=0 psub=0 ssub=0 "
      "multi=-1 qbuf=15 oll=16 omem=17 cmd=get user=default redir=-1 resp=3 lib-name= lib-ver=\n");
}

TEST(ClientRegistry, AClockThatStandsBehindGivesZeroAges) {
  ClientInfo info;
  info.connected_ms = 5'000;
  info.last_command_ms = 6'000;
  EXPECT_THAT(client_line(info, 1'000), HasSubstr("age=0 idle=0 "));
}

}  // namespace
}  // namespace kiwi::testing
