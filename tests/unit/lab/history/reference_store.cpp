#include "tests/unit/lab/history/reference_store.hpp"

#include <cstdlib>
#include <stdexcept>

namespace kiwi::lab::history::testing {
namespace {

bool has(const std::vector<std::string>& command, const char* word) {
  for (std::size_t i = 3; i < command.size(); ++i)
    if (command[i] == word)
      return true;
  return false;
}

}  // namespace

Reply ReferenceStore::run(const std::vector<std::string>& c) {
  const auto& name = c[0];
  const auto get = [&](const std::string& key) {
    const auto at = strings.find(key);
    return at == strings.end() ? Reply::nil() : Reply::bulk(at->second);
  };
  const bool there = strings.count(c[1]) != 0;
  const auto old = get(c[1]);
  if (name == "GET")
    return old;
  if (name == "EXISTS")
    return Reply::of(there ? 1 : 0);
  if (name == "STRLEN")
    return Reply::of(there ? static_cast<std::int64_t>(strings[c[1]].size()) : 0);
  if (name == "SET") {
    const bool set = !(has(c, "NX") && there) && !(has(c, "XX") && !there);
    if (set)
      strings[c[1]] = c[2];
    return has(c, "GET") ? old : set ? Reply::ok() : Reply::nil();
  }
  if (name == "SETNX") {
    if (!there)
      strings[c[1]] = c[2];
    return Reply::of(there ? 0 : 1);
  }
  if (name == "GETSET") {
    strings[c[1]] = c[2];
    return old;
  }
  if (name == "GETDEL") {
    strings.erase(c[1]);
    return old;
  }
  if (name == "DEL") {
    std::int64_t count = 0;
    for (std::size_t i = 1; i < c.size(); ++i) count += static_cast<std::int64_t>(strings.erase(c[i]));
    return Reply::of(count);
  }
  if (name == "APPEND") {
    strings[c[1]] += c[2];
    return Reply::of(static_cast<std::int64_t>(strings[c[1]].size()));
  }
  if (name == "MSET") {
    for (std::size_t i = 1; i < c.size(); i += 2) strings[c[i]] = c[i + 1];
    return Reply::ok();
  }
  if (name == "MGET") {
    std::vector<Reply> values;
    for (std::size_t i = 1; i < c.size(); ++i) values.push_back(get(c[i]));
    return Reply::array(values);
  }
  if (name == "INCR" || name == "DECR" || name == "INCRBY") {
    const auto delta = name == "INCR" ? 1 : name == "DECR" ? -1 : std::atoll(c[2].c_str());
    auto number = 0LL;
    if (there) {
      char* end = nullptr;
      number = std::strtoll(strings[c[1]].c_str(), &end, 10);
      if (strings[c[1]].empty() || *end != '\0')
        return Reply::error("ERR value is not an integer or out of range");
    }
    strings[c[1]] = std::to_string(number + delta);
    return Reply::of(number + delta);
  }
  throw std::logic_error("the reference store has no " + name);
}

}  // namespace kiwi::lab::history::testing
