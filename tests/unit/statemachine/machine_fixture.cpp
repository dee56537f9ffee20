#include "tests/unit/statemachine/machine_fixture.hpp"

#include <cstdlib>

namespace kiwi::test {

Folder::Folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "kiwi-machine-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool begun = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      begun = true;
    } else if (c == ' ' && !quoted) {
      if (begun)
        words.push_back(word);
      word.clear();
      begun = false;
    } else {
      word.push_back(c);
      begun = true;
    }
  }
  if (begun)
    words.push_back(word);
  return words;
}

std::string show(const Reply& reply) {
  const auto all = [&] {
    std::string out;
    for (const auto& element : reply.elements) out += (out.empty() ? "" : ", ") + show(element);
    return out;
  };
  switch (reply.type) {
    case Reply::Type::simple:
      return reply.text.str();
    case Reply::Type::error:
      return "(error) " + reply.text.str();
    case Reply::Type::integer:
      return "(integer) " + std::to_string(reply.integer);
    case Reply::Type::nil:
    case Reply::Type::nil_array:
      return "(nil)";
    case Reply::Type::array:
    case Reply::Type::set:
      return "[" + all() + "]";
    case Reply::Type::map:
      return "{" + all() + "}";
    case Reply::Type::boolean:
      return reply.integer != 0 ? "(true)" : "(false)";
    default:
      return "\"" + reply.text.str() + "\"";
  }
}

Membership three_nodes() {
  std::vector<Member> members;
  for (std::uint16_t i = 1; i <= 3; ++i)
    members.push_back(
        {NodeId(i),
         {"127.0.0.1", static_cast<std::uint16_t>(7000 + i), static_cast<std::uint16_t>(17000 + i)}});
  return membership_of(std::move(members));
}

void Machine::open() {
  RedisMachineOptions options;
  options.dir = dir_;
  options.cached_records = cached_records_;
  options.unwritten_bytes = unwritten_bytes_;
  if (write_buffer_bytes_ != 0)
    options.write_buffer_bytes = write_buffer_bytes_;
  auto opened = RedisMachine::open(options, initial_);
  ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
  machine_ = std::move(*opened);
}

Entry Machine::entry_of(EntryKind kind, Bytes payload) {
  Entry entry;
  entry.id = {Term(1), machine_->applied_state().applied.index + 1};
  entry.kind = kind;
  entry.stamp_ms = now_ms;
  entry.payload = std::move(payload);
  return entry;
}

Entry Machine::entry_of(const std::vector<std::string>& words) {
  return entry_of(EntryKind::command, encode_request({command_of(words)}));
}

Reply Machine::apply_one(Entry entry) {
  auto result = machine_->apply({std::move(entry)});
  if (!result) {
    ADD_FAILURE() << to_string(result.error());
    return {};
  }
  next_deadline_ms = result->next_deadline_ms;
  return result->replies.at(0);
}

std::string Machine::write(const std::string& line) { return write(words_of(line)); }
std::string Machine::write(const std::vector<std::string>& words) { return show(apply_one(entry_of(words))); }

StateAnswer Machine::ask(std::uint64_t at_ms, const std::vector<std::string>& words) {
  auto answer = machine_->query({7, at_ms, encode_request({command_of(words)})});
  EXPECT_TRUE(answer.has_value()) << to_string(answer.error());
  EXPECT_EQ(answer->token, 7u);
  return *answer;
}

std::string Machine::read_at(std::uint64_t at_ms, const std::string& line) {
  const auto answer = ask(at_ms, words_of(line));
  if (answer.needs_tick_ms != 0)
    return "(tick " + std::to_string(answer.needs_tick_ms) + ") " + show(answer.reply);
  return show(answer.reply);
}

std::string Machine::digest() {
  const auto entry = entry_of(EntryKind::digest, Bytes(std::string(8, '\0')));
  apply_one(entry);
  while (machine_->background_work().value()) {
  }
  const auto digest = machine_->digest(entry.id.index);
  EXPECT_TRUE(digest.has_value());
  return digest ? digest->hex : "";
}

}  // namespace kiwi::test
