#include "statemachine/commands/object.hpp"

#include "statemachine/commands/text.hpp"

namespace kiwi {
namespace {

constexpr std::size_t kMaxIntChars = 20;
constexpr std::size_t kMaxEmbeddedBytes = 44;

Reply encoding(const Record& record) {
  const auto text = record.payload.view();
  if (record.meta.encoding == StringEncoding::raw)
    return Reply::bulk(std::string("raw"));
  if (record.meta.encoding == StringEncoding::automatic && text.size() <= kMaxIntChars && parse_integer(text))
    return Reply::bulk(std::string("int"));
  return Reply::bulk(std::string(text.size() <= kMaxEmbeddedBytes ? "embstr" : "raw"));
}

Reply help() {
  static constexpr std::string_view kLines[] = {
      "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "ENCODING <key>",
      "    How the value of <key> is represented.",
      "FREQ <key>",
      "    Always an error: access frequencies are not tracked.",
      "HELP",
      "    Print this help.",
      "IDLETIME <key>",
      "    Seconds since <key> was last written.",
      "REFCOUNT <key>",
      "    Number of references to the value of <key>: always 1.",
  };
  std::vector<Reply> lines;
  for (const auto line : kLines) lines.push_back(Reply::simple(std::string(line)));
  return Reply::array(std::move(lines));
}

}  // namespace

Reply object(ReadContext& context, const RedisCommand& command) {
  const auto& args = command.args;
  const auto sub = lower(args[1].view());
  if (sub == "help")
    return args.size() == 2 ? help() : errors::wrong_arity("object|help");
  if (sub != "encoding" && sub != "freq" && sub != "idletime" && sub != "refcount")
    return Reply::error("ERR unknown subcommand '" + args[1].str() + "'. Try OBJECT HELP.");
  if (args.size() != 3)
    return errors::wrong_arity("object|" + sub);
  const auto record = context.keys.get(args[2].view());
  if (!record)
    return Reply::nil();
  if (sub == "encoding")
    return encoding(*record);
  if (sub == "refcount")
    return Reply::of(1);
  if (sub == "idletime")
    return Reply::of(static_cast<std::int64_t>((context.now_ms - record->meta.written_ms) / 1000));
  return Reply::error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
      "switching "
      "between policies at runtime LRU and LFU data will take some time to adjust.");
}

}  // namespace kiwi
