#pragma once

// A RedisMachine in a folder of its own, fed with commands as redis-cli would write them.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "messages/codec.hpp"
#include "messages/resp_writer.hpp"
#include "statemachine/redis_machine.hpp"

namespace kiwi::test {

/// A new empty folder, gone at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline RedisCommand command_of(const std::vector<std::string>& words) {
  RedisCommand command;
  for (const auto& word : words) command.args.push_back(Bytes::copy_of(word));
  return command;
}

/// Splits at spaces; 'single quotes' keep a word together, so '' is an empty one.
std::vector<std::string> words_of(const std::string& line);

/// A reply as redis-cli shows it, on one line: OK, (integer) 1, "text", (nil), (error) ERR ..., [a, b].
std::string show(const Reply& reply);

Membership three_nodes();

class Machine {
 public:
  explicit Machine(std::string dir, std::size_t cached_records = 1000, Membership initial = three_nodes(),
                   std::uint64_t unwritten_bytes = 0, std::uint64_t write_buffer_bytes = 0)
      : dir_(std::move(dir)),
        cached_records_(cached_records),
        unwritten_bytes_(unwritten_bytes),
        write_buffer_bytes_(write_buffer_bytes),
        initial_(std::move(initial)) {
    open();
  }

  void open();
  /// As a crash of the process: what was not flushed is gone.
  void crash() { machine_.reset(); }
  RedisMachine& operator*() { return *machine_; }
  RedisMachine* operator->() { return machine_.get(); }

  /// Applies one command at the present stamp.
  std::string write(const std::string& line);
  std::string write(const std::vector<std::string>& words);
  Reply apply_one(Entry entry);
  Entry entry_of(EntryKind kind, Bytes payload = {});
  Entry entry_of(const std::vector<std::string>& words);
  /// Asks at the present stamp; "(tick MS)" when the machine wants a tick first.
  std::string read(const std::string& line) { return read_at(now_ms, line); }
  std::string read_at(std::uint64_t at_ms, const std::string& line);
  StateAnswer ask(std::uint64_t at_ms, const std::vector<std::string>& words);
  /// A marker goes into the log, and the background work is done to its end.
  std::string digest();
  void tick() { apply_one(entry_of(EntryKind::tick)); }

  std::uint64_t now_ms = 1'700'000'000'000;
  std::uint64_t next_deadline_ms = 0;

 private:
  std::string dir_;
  std::size_t cached_records_;
  std::uint64_t unwritten_bytes_;
  std::uint64_t write_buffer_bytes_;  // 0: the machine's own default
  Membership initial_;
  std::unique_ptr<RedisMachine> machine_;
};

/// Test with one machine. `write` and `read` take a line and give the reply.
class MachineTest : public ::testing::Test {
 protected:
  std::string write(const std::string& line) { return machine.write(line); }
  std::string read(const std::string& line) { return machine.read(line); }

  Folder folder;
  Machine machine{folder.path("data")};
};

}  // namespace kiwi::test
