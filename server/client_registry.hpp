#pragma once

// Who is connected: the source of CLIENT LIST and of INFO's client figures.
//
// Not thread-safe: one registry serves the connections of one IO thread. It must outlive its sessions.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "messages/resp_writer.hpp"

namespace kiwi {

/// One connection. Owned by its Session; times are milliseconds of the caller's monotonic clock.
struct ClientInfo {
  std::uint64_t id = 0;  // given by the registry, never used twice by it
  std::string address;   // "127.0.0.1:50000", the client's side
  std::string local_address;
  std::int64_t fd = -1;
  std::string name;
  std::string library_name;     // CLIENT SETINFO lib-name
  std::string library_version;  // CLIENT SETINFO lib-ver
  std::uint64_t connected_ms = 0;
  std::uint64_t last_command_ms = 0;
  std::string_view last_command = "NULL";  // of the command table: "get", "client"
  std::string_view last_subcommand;        // "list", or empty
  RespVersion version = RespVersion::resp2;
  bool readonly = false;  // READONLY was sent: reads may be stale
  bool no_evict = false;
  bool closing = false;  // QUIT was sent
  std::uint64_t commands = 0;
  // Kept up to date by the connection:
  std::uint64_t query_buffer_bytes = 0;
  std::uint64_t waiting_replies = 0;     // reply slots not yet written
  std::uint64_t reply_buffer_bytes = 0;  // written but not yet taken by the socket
};

/// Counts since the registry was made. The connection and its acceptor add to the ones marked (c).
struct ServerTotals {
  std::uint64_t connections = 0;
  std::uint64_t rejected_connections = 0;  // (c) above the limit of clients
  std::uint64_t commands = 0;
  /// Session::handle counts the errors that it answers itself; (c) all others, those of the state machine
  /// too.
  std::uint64_t error_replies = 0;
  std::uint64_t input_bytes = 0;      // (c)
  std::uint64_t output_bytes = 0;     // (c)
  std::uint64_t protocol_errors = 0;  // (c) connections closed for what they sent
};

class ClientRegistry {
 public:
  ClientRegistry() = default;
  ClientRegistry(const ClientRegistry&) = delete;
  ClientRegistry& operator=(const ClientRegistry&) = delete;

  /// Gives `client` its id. It must stay where it is until remove().
  void add(ClientInfo& client);
  void remove(const ClientInfo& client);

  std::size_t size() const { return clients_.size(); }
  /// Null: nobody with that id.
  const ClientInfo* find(std::uint64_t id) const;
  /// Sorted by id, that is by age.
  const std::map<std::uint64_t, const ClientInfo*>& all() const { return clients_; }

  ServerTotals& totals() { return totals_; }
  const ServerTotals& totals() const { return totals_; }

 private:
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, const ClientInfo*> clients_;
  ServerTotals totals_;
};

/// One line of CLIENT LIST, with its line break. Only fields that say something true about Kiwi.
std::string client_line(const ClientInfo& client, std::uint64_t now_ms);

}  // namespace kiwi
