#include "server/client_registry.hpp"

#include "messages/assert.hpp"

namespace kiwi {

void ClientRegistry::add(ClientInfo& client) {
  KIWI_ASSERT(client.id == 0, "a connection is registered once");
  client.id = ++last_id_;
  clients_.emplace(client.id, &client);
  ++totals_.connections;
}

void ClientRegistry::remove(const ClientInfo& client) {
  KIWI_ASSERT(clients_.erase(client.id) == 1, "only what is registered is removed");
}

const ClientInfo* ClientRegistry::find(std::uint64_t id) const {
  const auto it = clients_.find(id);
  return it == clients_.end() ? nullptr : it->second;
}

std::string client_line(const ClientInfo& client, std::uint64_t now_ms) {
  // Flags as Redis names them: r READONLY, e no-evict, c closing, N none of all.
  std::string flags;
  if (client.readonly)
    flags += 'r';
  if (client.closing)
    flags += 'c';
  if (client.no_evict)
    flags += 'e';
  if (flags.empty())
    flags = "N";

  std::string out;
  auto add = [&out](std::string_view name, std::string_view value) {
    if (!out.empty())
      out += ' ';
    out += name;
    out += '=';
    out += value;
  };
  auto add_number = [&add](std::string_view name, std::int64_t value) { add(name, std::to_string(value)); };
  auto seconds_since = [now_ms](std::uint64_t then_ms) {
    return static_cast<std::int64_t>(now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0);
  };
  add_number("id", static_cast<std::int64_t>(client.id));
  add("addr", client.address);
  add("laddr", client.local_address);
  add_number("fd", client.fd);
  add("name", client.name);
  add_number("age", seconds_since(client.connected_ms));
  add_number("idle", seconds_since(client.last_command_ms));
  add("flags", flags);
  // One database, no publish-subscribe, no transactions: these are facts, and clients look for them.
  add_number("db", 0);
  add_number("sub", 0);
  add_number("psub", 0);
  add_number("ssub", 0);
  add_number("multi", -1);
  add_number("qbuf", static_cast<std::int64_t>(client.query_buffer_bytes));
  add_number("oll", static_cast<std::int64_t>(client.waiting_replies));
  add_number("omem", static_cast<std::int64_t>(client.reply_buffer_bytes));
  std::string command(client.last_command);
  if (!client.last_subcommand.empty())
    command += "|" + std::string(client.last_subcommand);
  add("cmd", command);
  add("user", "default");
  add_number("redir", -1);
  add_number("resp", static_cast<std::int64_t>(client.version));
  add("lib-name", client.library_name);
  add("lib-ver", client.library_version);
  out += '\n';
  return out;
}

}  // namespace kiwi
