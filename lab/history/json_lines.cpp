#include "lab/history/json_lines.hpp"

#include <algorithm>
#include <istream>
#include <ostream>
#include <set>
#include <utility>

#include "lab/history/json_text.hpp"

namespace kiwi::lab::history {
namespace {

constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 62;
/// Nesting of a line as JSON: the line, the reply and its two levels for each array, bytes.
constexpr int kMaxJsonDepth = 2 * kMaxReplyDepth + 6;

using Result = tl::expected<void, std::string>;
auto error(std::string what) { return tl::make_unexpected(std::move(what)); }

/// One line without its end. False: no more. A line that is too long is cut just above the limit.
bool next_line(std::istream& in, std::size_t limit, std::string& line) {
  line.clear();
  auto* source = in.rdbuf();
  int c = source->sbumpc();
  if (c == std::char_traits<char>::eof())
    return false;
  for (; c != std::char_traits<char>::eof() && c != '\n' && line.size() <= limit; c = source->sbumpc())
    line += static_cast<char>(c);
  return true;
}

/// Strict JSON: no doubled fields, bounded depth. The parser of the library keeps the last of doubled ones.
tl::expected<Json, std::string> parse_line(const std::string& line) {
  std::vector<std::set<std::string>> open;
  std::string broken;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxJsonDepth)
      broken = "nested too deeply";
    else if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start)
      open.emplace_back();
    else if (event == Json::parse_event_t::object_end || event == Json::parse_event_t::array_end)
      open.pop_back();
    else if (event == Json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
      broken = "the field \"" + value.get<std::string>() + "\" occurs twice";
    return broken.empty();
  };
  auto json = Json::parse(line, watch, false);
  if (!broken.empty())
    return error(broken);
  if (json.is_discarded())
    return error("not JSON");
  if (!json.is_object())
    return error("a line is a JSON object");
  return json;
}

Result number_field(const Json& json, const std::string& name, std::uint64_t& number) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > kMaxNumber)
    return error("\"" + name + "\" is a whole number from 0 to 2^62");
  number = json.get<std::uint64_t>();
  return {};
}

Result text_field(const Json& json, const std::string& name, std::string& text) {
  if (!json.is_string())
    return error("\"" + name + "\" is a string");
  text = json.get<std::string>();
  return {};
}

Result command_field(const Json& json, std::vector<std::string>& command) {
  if (!json.is_array() || json.empty())
    return error("\"command\" is an array of at least one word");
  for (const auto& word : json) {
    auto bytes = bytes_from_json(word);
    if (!bytes)
      return error("\"command\": " + bytes.error());
    command.push_back(std::move(*bytes));
  }
  return {};
}

Result outcome_field(const Json& json, Outcome& outcome) {
  if (json == "done")
    outcome = Outcome::done;
  else if (json == "not_done")
    outcome = Outcome::not_done;
  else if (json == "unknown")
    outcome = Outcome::unknown;
  else
    return error(R"("outcome" is "done", "not_done" or "unknown")");
  return {};
}

/// Names that a reader of another version may invent.
bool is_extension(const std::string& name) { return name.rfind("x_", 0) == 0; }

Result field_of(const std::string& name, const Json& value, Operation& operation) {
  std::uint64_t number = 0;
  if (name == "command")
    return command_field(value, operation.command);
  if (name == "outcome")
    return outcome_field(value, operation.outcome);
  if (name == "load")
    return text_field(value, name, operation.load);
  if (name == "reply") {
    auto reply = reply_from_json(value);
    if (!reply)
      return error("\"reply\": " + reply.error());
    operation.reply = std::move(*reply);
    return {};
  }
  static const std::set<std::string> kNumbers = {
      "op",      "client",   "session",       "serial",         "connection", "node",
      "invoked", "returned", "invoked_order", "returned_order", "index"};
  if (kNumbers.count(name) == 0)
    return error("unknown field \"" + name + "\"");
  if (auto read = number_field(value, name, number); !read)
    return read;
  if (name == "op")
    operation.number = number;
  else if (name == "client")
    operation.client = number;
  else if (name == "session")
    operation.session = number;
  else if (name == "serial")
    operation.serial = number;
  else if (name == "connection")
    operation.connection = number;
  else if (name == "node")
    operation.node = NodeId(number);
  else if (name == "invoked")
    operation.invoked_at = Time(static_cast<std::int64_t>(number));
  else if (name == "returned")
    operation.returned_at = Time(static_cast<std::int64_t>(number));
  else if (name == "invoked_order")
    operation.invoked_order = number;
  else if (name == "returned_order")
    operation.returned_order = number;
  else
    operation.index = Index(number);
  return {};
}

Result consistent(const Operation& operation, const History& history) {
  if (operation.number == 0)
    return error("\"op\" counts from 1");
  if (!history.operations().empty() && operation.number <= history.operations().back().number)
    return error("\"op\" ascends from line to line");
  if (operation.returned_at && *operation.returned_at < operation.invoked_at)
    return error("it returned before it was called");
  if (operation.outcome == Outcome::done && !operation.returned_at)
    return error("an operation that is done has \"returned\"");
  if (operation.session.has_value() != operation.serial.has_value())
    return error(R"("session" and "serial" come together)");
  const bool returns = operation.returned_at.has_value();
  if ((operation.returned_order != 0) != (operation.invoked_order != 0 && returns))
    return error(R"("invoked_order" and "returned_order" are given for both events or for none)");
  if (operation.returned_order != 0 && operation.returned_order <= operation.invoked_order)
    return error("its return comes before its call");
  return {};
}

Result read_operation(const Json& json, History& history) {
  for (const char* name : {"client", "invoked", "command", "outcome"})
    if (!json.contains(name))
      return error("an operation has a field \"" + std::string(name) + "\"");
  Operation operation;
  for (const auto& [name, value] : json.items())
    if (!is_extension(name))
      if (auto read = field_of(name, value, operation); !read)
        return read;
  if (auto sound = consistent(operation, history); !sound)
    return sound;
  history.restore(std::move(operation));
  return {};
}

Result read_note(const Json& json, History& history) {
  const bool is_marker = json.contains("marker");
  std::uint64_t at = 0;
  std::uint64_t connection = 0;
  std::string marker;
  std::optional<Reply> reply;
  for (const auto& [name, value] : json.items()) {
    Result read;
    if (is_extension(name))
      continue;
    if (name == "at")
      read = number_field(value, name, at);
    else if (name == "marker")
      read = text_field(value, name, marker);
    else if (name == "connection" && !is_marker)
      read = number_field(value, name, connection);
    else if (name == "surplus_reply" && !is_marker) {
      auto one = reply_from_json(value);
      if (!one)
        return error(one.error());
      reply = std::move(*one);
    } else
      read = error("unknown field \"" + name + "\"");
    if (!read)
      return read;
  }
  if (!json.contains("at"))
    return error("a marker or a surplus reply has a field \"at\"");
  const Time time(static_cast<std::int64_t>(at));
  if (is_marker)
    history.mark(marker, time);
  else
    history.surplus(connection, time, std::move(*reply));
  return {};
}

Result read_header(const Json& json, History& history) {
  if (!json.contains("kiwi_history"))
    return error(R"(the first line is the header: {"kiwi_history": 1, "time_unit": "ns"})");
  for (const auto& [name, value] : json.items()) {
    if (name == "kiwi_history") {
      if (value != kFormatVersion)
        return error("version " + value.dump() + " of the format; this program reads version 1");
    } else if (name == "time_unit") {
      if (value != "ns")
        return error(R"("time_unit" is "ns")");
    } else if (name == "about") {
      if (!value.is_object())
        return error("\"about\" is an object of strings");
      for (const auto& [key, text] : value.items())
        if (auto read = text_field(text, "about." + key, history.about[key]); !read)
          return read;
    } else if (!is_extension(name))
      return error("unknown field \"" + name + "\"");
  }
  return {};
}

Result read_record(const Json& json, History& history) {
  if (json.contains("op"))
    return read_operation(json, history);
  if (json.contains("marker") || json.contains("surplus_reply"))
    return read_note(json, history);
  return error(R"(a line has one of the fields "op", "marker", "surplus_reply")");
}

/// Order numbers must be distinct and agree with the times. Returns the number of an operation that breaks
/// it.
std::optional<std::uint64_t> out_of_order(const History& history) {
  struct Event {
    std::uint64_t order;
    Time at;
    std::uint64_t number;
  };
  std::vector<Event> events;
  for (const auto& o : history.operations()) {
    if (o.invoked_order != 0)
      events.push_back({o.invoked_order, o.invoked_at, o.number});
    if (o.returned_order != 0)
      events.push_back({o.returned_order, *o.returned_at, o.number});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.order < b.order; });
  for (std::size_t i = 1; i < events.size(); ++i)
    if (events[i].order == events[i - 1].order || events[i].at < events[i - 1].at)
      return events[i].number;
  return std::nullopt;
}

}  // namespace

std::string to_string(const ReadError& e) { return "line " + std::to_string(e.line) + ": " + e.what; }

void write_json_lines(std::ostream& out, const History& history) {
  Json header = {{"kiwi_history", kFormatVersion}, {"time_unit", "ns"}};
  if (!history.about.empty())
    for (const auto& [key, text] : history.about) header["about"][key] = text;
  const auto line = [&](const Json& json) {
    out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  };
  line(header);
  for (const auto& o : history.operations()) {
    Json json = {{"op", o.number}, {"client", o.client}};
    if (o.session)
      json["session"] = *o.session;
    if (o.serial)
      json["serial"] = *o.serial;
    if (o.connection != 0)
      json["connection"] = o.connection;
    if (o.node)
      json["node"] = o.node.value;
    if (!o.load.empty())
      json["load"] = o.load;
    json["invoked"] = o.invoked_at.count();
    if (o.returned_at)
      json["returned"] = o.returned_at->count();
    if (o.invoked_order != 0)
      json["invoked_order"] = o.invoked_order;
    if (o.returned_order != 0)
      json["returned_order"] = o.returned_order;
    auto& words = json["command"] = Json::array();
    for (const auto& word : o.command) words.push_back(bytes_to_json(word));
    json["outcome"] = o.outcome == Outcome::not_done ? "not_done" : std::string(to_string(o.outcome));
    if (o.reply)
      json["reply"] = reply_to_json(*o.reply);
    if (o.index)
      json["index"] = o.index->value;
    line(json);
  }
  for (const auto& marker : history.markers()) line({{"marker", marker.name}, {"at", marker.at.count()}});
  for (const auto& surplus : history.surplus_replies())
    line({{"surplus_reply", reply_to_json(surplus.reply)},
          {"connection", surplus.connection},
          {"at", surplus.at.count()}});
}

tl::expected<History, ReadError> read_json_lines(std::istream& in, const ReadLimits& limits) {
  History history;
  std::size_t number = 0;
  std::string line;
  const auto at_line = [&](std::string what) {
    return tl::make_unexpected(ReadError{number, std::move(what)});
  };
  std::vector<std::size_t> lines;  // of the operations
  bool header = false;
  while (next_line(in, limits.line_bytes, line)) {
    ++number;
    if (line.size() > limits.line_bytes)
      return at_line("longer than " + std::to_string(limits.line_bytes) + " bytes");
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    if (line.empty())
      return at_line("an empty line");
    auto json = parse_line(line);
    if (!json)
      return at_line(json.error());
    if (auto read = header ? read_record(*json, history) : read_header(*json, history); !read)
      return at_line(read.error());
    header = true;
    if (history.operations().size() > lines.size())
      lines.push_back(number);
    if (lines.size() > limits.operations)
      return at_line("more than " + std::to_string(limits.operations) + " operations");
  }
  if (!header)
    return tl::make_unexpected(ReadError{1, "an empty file"});
  if (const auto bad = out_of_order(history)) {
    const auto* operation = history.find(*bad);
    number = lines[static_cast<std::size_t>(operation - history.operations().data())];
    return at_line("its order numbers are taken, or contradict the times of others");
  }
  return history;
}

}  // namespace kiwi::lab::history
