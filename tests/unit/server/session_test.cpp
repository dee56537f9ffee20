// What a client says to its connection, and what it hears. The texts are those of redis-server 7.0.15.

#include "tests/unit/server/server_fixture.hpp"

#include "messages/key_slot.hpp"

namespace kiwi::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Session, GreetsAndEchoes) {
  Server s;
  EXPECT_EQ(s.says("PING"), "+PONG\r\n");
  EXPECT_EQ(s.says("ping hello"), "$5\r\nhello\r\n");
  EXPECT_EQ(s.says("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(s.says("ECHO a"), "$1\r\na\r\n");
  EXPECT_EQ(s.says("echo"), "-ERR wrong number of arguments for 'echo' command\r\n");
}

TEST(Session, RefusesWhatItDoesNotKnow) {
  Server s;
  EXPECT_EQ(s.says("foo"), "-ERR unknown command 'foo', with args beginning with: \r\n");
  EXPECT_EQ(s.says("foo bar baz"), "-ERR unknown command 'foo', with args beginning with: 'bar' 'baz' \r\n");
  EXPECT_EQ(s.says("CLIENT nosuch"), "-ERR unknown subcommand 'nosuch'. Try CLIENT HELP.\r\n");
  EXPECT_EQ(s.says("client"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_EQ(s.says("CLIENT ID x"), "-ERR wrong number of arguments for 'client|id' command\r\n");
  EXPECT_EQ(s.says("RAFT.CLUSTER nosuch"), "-ERR unknown subcommand 'nosuch'. Try RAFT.CLUSTER HELP.\r\n");
  EXPECT_EQ(s.registry->totals().error_replies, 6u);
  EXPECT_EQ(s.registry->totals().commands, 0u) << "what is refused here is not processed";
}

TEST(Session, SelectKnowsOneDatabase) {
  Server s;
  EXPECT_EQ(s.says("SELECT 0"), "+OK\r\n");
  EXPECT_EQ(s.says("SELECT 1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(s.says("SELECT -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(s.says("SELECT abc"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(s.says("SELECT 3000000000"),
            "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n");
}

TEST(Session, QuitClosesAfterItsReply) {
  Server s;
  const auto step = s.step("QUIT");
  const auto& now = std::get<ReplyNow>(step);
  EXPECT_EQ(wire(now.reply), "+OK\r\n");
  EXPECT_TRUE(now.close);
  EXPECT_TRUE(s.session->info().closing);
  const auto ping = s.step("PING");
  EXPECT_FALSE(std::get<ReplyNow>(ping).close);
}

TEST(Session, DataCommandsAreSubmittedWithTheSlotOfTheirFirstKey) {
  Server s;
  auto submitted = [&](std::string_view line) { return std::get<SubmitCommand>(s.step(line)); };
  EXPECT_EQ(submitted("SET foo bar").mode, CommandMode::write);
  EXPECT_EQ(submitted("SET foo bar").slot, 12182);
  EXPECT_EQ(submitted("get {foo}x").mode, CommandMode::read);
  EXPECT_EQ(submitted("get {foo}x").slot, 12182);
  EXPECT_EQ(submitted("OBJECT ENCODING foo").slot, 12182);
  EXPECT_EQ(submitted("DBSIZE").mode, CommandMode::read);
  EXPECT_EQ(submitted("DBSIZE").slot, 0);
  EXPECT_EQ(submitted("TIME").mode, CommandMode::read);
  EXPECT_EQ(submitted("FLUSHALL").mode, CommandMode::write);
  EXPECT_EQ(submitted("getex foo").mode, CommandMode::write);
}

TEST(Session, ReadonlyMakesReadsStaleUntilReadwrite) {
  Server s;
  auto mode = [&](std::string_view line) { return std::get<SubmitCommand>(s.step(line)).mode; };
  EXPECT_EQ(s.says("READONLY"), "+OK\r\n");
  EXPECT_EQ(mode("GET k"), CommandMode::stale_read);
  EXPECT_EQ(mode("SCAN 0"), CommandMode::stale_read);
  EXPECT_EQ(mode("SET k v"), CommandMode::write);
  EXPECT_EQ(s.says("READWRITE"), "+OK\r\n");
  EXPECT_EQ(mode("GET k"), CommandMode::read);
}

TEST(Session, ResetUndoesReadonlyNameAndProtocol) {
  Server s;
  s.says("READONLY");
  s.says("HELLO 3 SETNAME me");
  s.says("CLIENT SETINFO LIB-NAME lib");
  s.says("CLIENT NO-EVICT on");
  EXPECT_EQ(s.session->version(), RespVersion::resp3);
  EXPECT_EQ(s.says("RESET"), "+RESET\r\n");
  EXPECT_EQ(s.session->version(), RespVersion::resp2);
  EXPECT_EQ(s.says("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(std::get<SubmitCommand>(s.step("GET k")).mode, CommandMode::read);
  EXPECT_EQ(s.session->info().library_name, "lib");
  EXPECT_TRUE(s.session->info().no_evict);
}

TEST(Session, HelloSaysWhoAnswers) {
  Server s;
  EXPECT_EQ(s.says("HELLO"),
            "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$"
            "2\r\nid\r\n"
            ":1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n");
  s.status = follower_status();
  EXPECT_EQ(s.says("HELLO 3"),
            "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$"
            "2\r\nid\r\n"
            ":1\r\n$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$7\r\nreplica\r\n$7\r\nmodules\r\n*0\r\n");
  EXPECT_EQ(s.says("CLIENT GETNAME"), "_\r\n");
}

TEST(Session, HelloAnswersWithTheVersionOfItsOwnMoment) {
  Server s;
  const auto first = command("HELLO 3");
  ASSERT_TRUE(std::holds_alternative<NeedStatus>(s.step(first)));
  const auto version = s.session->version();
  s.says("HELLO 2");  // comes before the status for the first one has arrived
  const auto reply = s.session->answer(first, version, s.status, s.process);
  EXPECT_THAT(wire(reply, version), HasSubstr("proto\r\n:3\r\n"));
}

TEST(Session, HelloChangesNothingWhenItFails) {
  Server s;
  EXPECT_EQ(s.says("HELLO 1"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(s.says("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(s.says("HELLO +3"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(s.says("HELLO 3 foo"), "-ERR Syntax error in HELLO option 'foo'\r\n");
  EXPECT_EQ(s.says("HELLO 3 SETNAME"), "-ERR Syntax error in HELLO option 'SETNAME'\r\n");
  EXPECT_EQ(s.says("HELLO 3 AUTH foo"), "-ERR Syntax error in HELLO option 'AUTH'\r\n");
  EXPECT_EQ(s.says("HELLO 3 SETNAME a AUTH foo x"),
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(s.says("HELLO 3 AUTH default x SETNAME a\tb"),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(s.session->version(), RespVersion::resp2);
  EXPECT_EQ(s.says("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_THAT(s.says("HELLO 2 AUTH default x SETNAME zz"), StartsWith("*14\r\n"));
  EXPECT_EQ(s.says("CLIENT GETNAME"), "$2\r\nzz\r\n");
}

TEST(Session, AuthKnowsThatThereIsNoPassword) {
  Server s;
  EXPECT_EQ(s.says("AUTH x"),
            "-ERR AUTH <password> called without any password configured for the default user. Are you sure "
            "your configuration is correct?\r\n");
  EXPECT_EQ(s.says("AUTH default x"), "+OK\r\n");
  EXPECT_EQ(s.says("AUTH foo x"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
  EXPECT_EQ(s.says("AUTH a b c"), "-ERR syntax error\r\n");
}

TEST(Session, ClientCommandsDescribeTheConnection) {
  Server s;
  EXPECT_EQ(s.says("CLIENT ID"), ":1\r\n");
  EXPECT_EQ(s.says("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(s.says("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(s.says("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_EQ(s.says("CLIENT SETNAME a\nb"),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(s.says("CLIENT SETNAME " + std::string(1025, 'x')),
            "-ERR Client names cannot be longer than 1024 bytes\r\n");
  EXPECT_EQ(s.says("CLIENT SETINFO LIB-NAME lib"), "+OK\r\n");
  EXPECT_EQ(s.says("CLIENT SETINFO lib-ver 1.2"), "+OK\r\n");
  EXPECT_EQ(s.says("CLIENT SETINFO nosuch x"), "-ERR Unrecognized option 'nosuch'\r\n");
  EXPECT_EQ(s.says("CLIENT SETINFO lib-name a\tb"),
            "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(s.says("CLIENT NO-EVICT maybe"), "-ERR syntax error\r\n");
  s.now_ms += 7'500;
  EXPECT_EQ(
      s.reply("CLIENT INFO").text.view(),
      "id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:7001 fd=9 name=me age=7 idle=0 flags=N db=0 sub=0 psub=0 "
      "ssub=0 multi=-1 qbuf=0 oll=0 omem=0 cmd=client|info user=default redir=-1 resp=2 lib-name=lib "
      "lib-ver=1.2\n");
}

TEST(Session, ClientListFindsTheOthers) {
  Server s;
  auto second = s.connect();
  second->handle(command("CLIENT SETNAME two"), s.now_ms);
  s.now_ms += 3'000;
  const auto all = s.reply("CLIENT LIST").text.str();
  EXPECT_THAT(all, HasSubstr("id=1 "));
  EXPECT_THAT(all, HasSubstr("name=two age=3 idle=3 "));
  EXPECT_THAT(all, HasSubstr("cmd=client|setname"));
  EXPECT_EQ(s.reply("CLIENT LIST TYPE normal").text.str(), all);
  EXPECT_EQ(s.says("CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
  EXPECT_EQ(s.says("CLIENT LIST TYPE foo"), "-ERR Unknown client type 'foo'\r\n");
  EXPECT_THAT(s.reply("CLIENT LIST ID 2 9").text.str(), StartsWith("id=2 "));
  EXPECT_EQ(s.says("CLIENT LIST ID -1"), "$0\r\n\r\n");
  EXPECT_EQ(s.says("CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(s.says("CLIENT LIST ID"), "-ERR syntax error\r\n");
  EXPECT_EQ(s.says("CLIENT LIST foo"), "-ERR syntax error\r\n");
  second.reset();
  EXPECT_EQ(s.says("CLIENT LIST ID 2"), "$0\r\n\r\n");
}

TEST(Session, RaftCommandsGoToActors) {
  Server s;
  EXPECT_TRUE(std::holds_alternative<InitCluster>(s.step("RAFT.CLUSTER INIT")));
  EXPECT_TRUE(std::holds_alternative<PutDigestMarker>(s.step("raft.digest")));
  EXPECT_TRUE(std::holds_alternative<MakeSnapshot>(s.step("raft.snapshot")));
  EXPECT_TRUE(std::get<NeedStatus>(s.step("RAFT.SNAPSHOT LIST")).with_stats);
  EXPECT_EQ(std::get<GetDigest>(s.step("RAFT.DIGEST GET 12")).index, Index(12));
  EXPECT_EQ(s.says("RAFT.DIGEST GET 0"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(s.says("RAFT.DIGEST GET x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_TRUE(std::get<NeedStatus>(s.step("INFO")).with_stats);
  EXPECT_FALSE(std::get<NeedStatus>(s.step("CLUSTER SLOTS")).with_stats);
}

TEST(Session, HelpTextsComeFromTheTable) {
  Server s;
  for (const std::string container :
       {"CLIENT", "CLUSTER", "COMMAND", "CONFIG", "OBJECT", "RAFT.CLUSTER", "RAFT.DIGEST"}) {
    const auto reply = s.reply(container + " HELP");
    ASSERT_EQ(reply.type, Reply::Type::array) << container;
    EXPECT_EQ(reply.elements.front().text.str(),
              container + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    EXPECT_EQ(reply.elements.size(), 1 + 2 * subcommands_of(command(container).args[0].view()).size());
  }
  const auto help = wire(s.reply("CLIENT HELP"));
  EXPECT_THAT(help,
              HasSubstr("+LIST [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID <client-id> [<client-id> ...]]\r\n"));
  EXPECT_THAT(help, HasSubstr("+NO-EVICT ON|OFF\r\n"));
}

}  // namespace
}  // namespace kiwi::testing
