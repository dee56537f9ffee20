#pragma once

// INFO: every line says something that is measured or decided here; a figure that Kiwi has no meaning for is
// left out, whoever might look for it.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "messages/client.hpp"
#include "messages/reply.hpp"
#include "server/environment.hpp"

namespace kiwi {

class ClientRegistry;
struct NodeStatus;

struct InfoSources {
  const NodeStatus& status;  // with the storage's figures; without them their lines are left out
  const ProcessFigures& process;
  const ClientRegistry& clients;
  const ServerEnvironment& environment;
};

/// INFO [section ...]. Without a section, and for "default", "all" and "everything": all sections. Unknown
/// ones are skipped, as in Redis.
Reply info_reply(const RedisCommand& command, const InfoSources& sources);

/// Collects "name:value" lines under "# Section" headings.
class InfoText {
 public:
  void section(std::string_view title) {
    if (!text_.empty())
      text_ += "\r\n";
    text_ += "# ";
    text_ += title;
    text_ += "\r\n";
  }
  void add(std::string_view name, std::string_view value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// The sections Replication, Raft and Stages (info_raft.cpp).
void info_replication(const InfoSources& sources, InfoText& out);
void info_raft(const InfoSources& sources, InfoText& out);
void info_stages(const InfoSources& sources, InfoText& out);

}  // namespace kiwi
