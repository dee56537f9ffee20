#pragma once

// Words for the log store's stories.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/log_store.hpp"

namespace kiwi::storage {

/// A directory that goes away with its test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "kiwi-log-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(const std::string& name = "log") const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline Entry entry(std::uint64_t index, std::uint64_t term = 1, std::string payload = "") {
  Entry e;
  e.id = {Term(term), Index(index)};
  e.kind = EntryKind::command;
  e.stamp_ms = 1000 + index;
  e.payload =
      Bytes(payload.empty() ? "payload-" + std::to_string(index) + "-" + std::to_string(term) : payload);
  return e;
}

inline LogWrite append(std::vector<Entry> entries) {
  LogWrite step;
  step.entries = std::move(entries);
  return step;
}
inline LogWrite append(std::uint64_t first, std::uint64_t last, std::uint64_t term = 1) {
  LogWrite step;
  for (auto i = first; i <= last; ++i) {
    step.entries.push_back(entry(i, term));
  }
  return step;
}
inline LogWrite vote(std::uint64_t term, std::uint64_t node) {
  LogWrite step;
  step.has_vote = true;
  step.vote = {Term(term), NodeId(node)};
  return step;
}
inline LogWrite truncate(std::uint64_t from) {
  LogWrite step;
  step.truncate_from = Index(from);
  return step;
}
inline LogWrite purge(std::uint64_t to) {
  LogWrite step;
  step.purge_to = Index(to);
  return step;
}
inline LogWrite bind(std::uint64_t node, std::uint64_t instance) {
  LogWrite step;
  step.has_binding = true;
  step.binding = {NodeId(node), InstanceId(instance)};
  return step;
}

inline LogWrite reset(std::uint64_t term, std::uint64_t index) {
  LogWrite step;
  step.reset_to = {Term(term), Index(index)};
  return step;
}

inline Membership three_voters() {
  return membership_of({{NodeId(1), {"10.0.0.1", 7001, 17001}},
                        {NodeId(2), {"10.0.0.2", 7002, 17002}},
                        {NodeId(3), {"10.0.0.3", 7003, 17003}}});
}

inline Identity some_identity(std::uint64_t instance = 77) {
  Identity identity;
  identity.cluster = ClusterId(9);
  identity.node = NodeId(1);
  identity.instance = InstanceId(instance);
  identity.address = {"10.0.0.1", 7001, 17001};
  identity.initial_membership = three_voters();
  return identity;
}

inline LogId log_id(std::uint64_t term, std::uint64_t index) { return {Term(term), Index(index)}; }

/// Opens, or says why not.
struct Opened {
  explicit Opened(const LogStoreOptions& options) {
    auto result = LogStore::open(options, found);
    if (result) {
      store = std::move(*result);
    } else {
      error = result.error();
    }
  }
  explicit operator bool() const { return store != nullptr; }
  LogStore* operator->() const { return store.get(); }

  Recovered found;
  std::unique_ptr<LogStore> store;
  StorageError error;
};

inline LogStoreOptions at(const std::string& dir) {
  LogStoreOptions options;
  options.dir = dir;
  return options;
}

inline std::string why(const StorageError& error) { return to_string(error); }
template <class T>
std::string why(const Result<T>& result) {
  return result ? "no error" : to_string(result.error());
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace kiwi::storage
