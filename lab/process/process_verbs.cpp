// Verbs on nodes: the process, its clock, its disk. proxy_verbs.cpp has those on links.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <utility>

#include "lab/formats/newer_files.hpp"
#include "lab/process/process_impl.hpp"
#include "lab/script/values.hpp"
#include "lab/script/verbs.hpp"

namespace kiwi::lab {
namespace {

namespace fs = std::filesystem;

/// For an answer on the control socket; a node that just started must first connect.
constexpr Time kPatience = std::chrono::seconds(5);

tl::unexpected<std::string> wrong(const script::Action& action) {
  return tl::unexpected("'" + action.verb + "' lacks an argument or has one it does not understand");
}

std::string word(const script::Action& action, std::size_t n) {
  return n < action.words.size() ? action.words[n] : std::string();
}

std::string option(const script::Action& action, const std::string& key, std::string fallback) {
  const auto found = action.options.find(key);
  return found == action.options.end() ? std::move(fallback) : found->second;
}

std::string_view profile_of(script::DiskProfile disk) {
  switch (disk) {
    case script::DiskProfile::hostile:
      return "hostile";
    case script::DiskProfile::exact:
      return "exact";
    case script::DiskProfile::ordered:
      break;
  }
  return "ordered";
}

/// What a file of a node is for, as scenarios name it; "" for those without a name.
std::string class_of(const fs::path& path) {
  const auto folder = path.parent_path().filename().string();
  const auto name = path.filename().string();
  if (folder != "log" && folder != "data") {
    return "";
  }
  if (path.extension() == ".log") {
    return folder + "-wal";
  }
  if (path.extension() == ".sst") {
    return folder + "-table";
  }
  if (name.starts_with("MANIFEST-")) {
    return folder + "-manifest";
  }
  return name == "CURRENT" ? folder + "-marker" : "";
}

bool matches(const fs::path& path, const fs::path& root, const std::string& wanted) {
  const auto is = class_of(path);
  if (wanted.find('/') != std::string::npos) {
    const auto place = fs::relative(path, root).string();
    return place == wanted || place.starts_with(wanted + "/");
  }
  return !is.empty() && (wanted == "any" || wanted == is || is.starts_with(wanted + "-"));
}

}  // namespace

tl::expected<Applied, std::string> ProcessBackend::Impl::apply(const script::Action& action) {
  const auto* row = script::find_verb(action.verb);
  if (row == nullptr || !row->process || row->performer != script::Performer::backend) {
    return tl::unexpected("processes have no verb '" + action.verb + "'");
  }
  if (row->target != script::Target::nodes && row->target != script::Target::nodes_or_load &&
      action.verb != "clone-disk") {
    return on_links(action);
  }
  Applied applied;
  applied.effective = false;
  struct Forgive {
    Loop& loop;
    ~Forgive() { loop.forgive(); }
  } const forgive{loop_};  // what takes its time here says nothing about the machine
  if (action.verb == "power-fail" || (action.verb == "crash" && options_.disk_buffers)) {
    // All of them at one moment, although they end one after the other. (SIGSTOP would not do: a thread that
    // syncs would race with the one that hears of the power failure.)
    for (const auto id : action.nodes) {
      if (auto* on = node(id); on != nullptr && on->process.up()) {
        on->control->tell("hold");
      }
    }
  }
  for (const auto id : action.verb == "clone-disk" ? action.to : action.nodes) {
    auto* on = node(id);
    if (on == nullptr) {
      return tl::unexpected("there is no node " + to_string(id));
    }
    const auto done = action.verb == "clone-disk" && node(action.nodes.at(0)) != nullptr
                          ? clone_disk(*node(action.nodes[0]), *on)
                          : node_verb(*on, action, applied.details);
    if (!done) {
      return tl::unexpected("n" + to_string(id) + ": " + done.error());
    }
    applied.effective |= *done;
  }
  return applied;
}

tl::expected<Applied, std::string> ProcessBackend::Impl::on_links(const script::Action& action) {
  std::vector<std::pair<NodeId, NodeId>> pairs;
  const auto add = [&](NodeId from, NodeId to) {
    if (from != to && std::find(pairs.begin(), pairs.end(), std::pair(from, to)) == pairs.end()) {
      pairs.emplace_back(from, to);
    }
  };
  for (const auto from : action.nodes) {
    for (const auto to : action.to) {
      add(from, to);
      if (action.both_ways) {
        add(to, from);
      }
    }
    for (const auto& other : nodes_) {
      if (action.to.empty()) {  // all links from and to it
        add(from, other->process.id());
        add(other->process.id(), from);
      }
    }
  }
  Applied applied;
  applied.effective = false;
  for (const auto& [from, to] : pairs) {
    if (node(from) == nullptr || node(to) == nullptr || !proxy_) {
      return tl::unexpected("there is no link " + to_string(from) + " -> " + to_string(to));
    }
    const auto done = proxy_->apply(from, to, action, applied.details);
    if (!done) {
      return tl::unexpected(done.error());
    }
    applied.effective |= *done;
  }
  return applied;
}

tl::expected<bool, std::string> ProcessBackend::Impl::node_verb(Node& n, const script::Action& action,
                                                                Details& details) {
  const auto& verb = action.verb;
  auto& process = n.process;
  if (verb == "crash") {
    return crash(n, details);
  }
  if (verb == "power-fail") {
    return power_fail(n, action, details);
  }
  if (verb == "restart") {
    return restart(n);
  }
  if (verb == "crash-at") {
    return crash_at(n, action);
  }
  if (verb == "stop") {
    if (!process.up() || process.stopping()) {
      return false;
    }
    process.terminate();
  } else if (verb == "pause") {
    if (!process.up() || process.paused()) {
      return false;
    }
    process.pause();
  } else if (verb == "resume") {
    if (!process.paused()) {
      return false;
    }
    process.resume();
  } else if (verb == "wipe") {
    if (process.up()) {
      return tl::unexpected(
          std::string("it is up; only the directory of a node that is down can be emptied"));
    }
    std::error_code ignored;
    fs::remove_all(process.dir(), ignored);
    checks_.forget(process.id());
    n.fresh = n.fresh || !action.words.empty();
    n.view.term = Term{};
    n.view.commit = n.view.applied = n.view.last = Index{};
  } else if (verb == "flip") {
    return flip(n, action, details);
  } else if (verb == "newer-format") {
    if (process.up()) {
      return tl::unexpected(std::string("it is up; only files of a node that is down can be rewritten"));
    }
    const auto newer = make_newer(nullptr, process.dir(), word(action, 0));
    if (!newer) {
      return tl::unexpected(newer.error());
    }
    details["n" + to_string(process.id())] = *newer;
  } else if (verb.starts_with("clock-")) {
    return clock_verb(n, action);
  } else {
    return disk_verb(n, action);
  }
  happened(process.id(), verb, {});
  changed(n);
  return true;
}

/// A node that is paused goes on with this command waiting for it.
tl::expected<std::string, std::string> ProcessBackend::Impl::ask_to_end(Node& n, const std::string& command) {
  n.process.expect_end();
  const auto resume = [&n] {
    if (n.process.paused()) {
      n.process.resume();
    }
  };
  if (!n.control->connected()) {
    resume();
  }
  return n.control->ask(command, kPatience, resume);
}

tl::expected<bool, std::string> ProcessBackend::Impl::crash(Node& n, Details& details) {
  if (!n.process.up()) {
    return false;
  }
  if (options_.disk_buffers) {
    // What it has written and not synced is in its own memory: it must first put it where the page cache of
    // a machine would have it.
    if (const auto answer = ask_to_end(n, "kill"); !answer) {
      details["n" + to_string(n.process.id())] = "un-synced bytes are lost: " + answer.error();
    }
  }
  n.process.kill();
  ended(n);
  return true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::power_fail(Node& n, const script::Action& action,
                                                                 Details& details) {
  if (action.options.contains("keep")) {
    return tl::unexpected(std::string("`keep` is for the simulator: writes have no numbers here"));
  }
  if (!n.process.up()) {
    return false;  // a kill leaves nothing un-synced behind in this backend
  }
  const bool torn = word(action, 0) == "torn";
  const auto seed = chance_.at(++power_fails_);
  const auto kept = ask_to_end(n, "power-fail " + std::string(profile_of(options_.settings.disk)) +
                                      (torn ? " torn " : " plain ") + std::to_string(seed));
  n.process.kill();
  ended(n);
  if (!kept) {
    return tl::unexpected(kept.error());
  }
  details["n" + to_string(n.process.id())] = *kept;
  happened(n.process.id(), "power-fail", {{"kept", *kept}});
  return true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::crash_at(Node& n, const script::Action& action) {
  if (action.words.size() > 1 || action.options.contains("operations")) {
    return tl::unexpected(std::string("only the process dies here, at the mark"));
  }
  const bool none = word(action, 0) == "none";
  const bool any = !n.crash_at.empty();
  n.crash_at = none ? std::string() : "crash-at " + word(action, 0) + " " + option(action, "nth", "1");
  if (n.process.up()) {
    // At once, for the answer may come behind the end.
    n.process.kills_itself(!none);
    if (const auto answer = n.control->ask(none ? "crash-at none" : n.crash_at, kPatience);
        !answer && n.process.up()) {
      return tl::unexpected(answer.error());
    }
  }
  return none ? any : true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::restart(Node& n) {
  // A node that is about to end is waited for; the world goes on meanwhile.
  const Time until = loop_.now() + kPatience;
  while (n.process.stopping() && loop_.now() < until) {
    loop_.step(loop_.now() + std::chrono::milliseconds(5));
  }
  if (n.process.up()) {
    return false;
  }
  if (auto started = start_node(n); !started) {
    return tl::unexpected(started.error());
  }
  return true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::clone_disk(Node& from, Node& to) {
  if (from.process.up() || to.process.up()) {
    return tl::unexpected(std::string("disks are copied only between nodes that are down"));
  }
  if (&from == &to) {
    return false;
  }
  std::error_code error;
  fs::remove_all(to.process.dir(), error);
  fs::copy(from.process.dir(), to.process.dir(), fs::copy_options::recursive, error);
  if (error) {
    return tl::unexpected(error.message());
  }
  checks_.forget(to.process.id());
  happened(to.process.id(), "clone-disk", {{"from", "n" + to_string(from.process.id())}});
  return true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::keep_doing(Node& n, std::vector<std::string>& kept,
                                                                 std::string command, bool replaces) {
  if (n.process.up() && n.process.paused()) {
    // The first thing that it does when it goes on.
    if (!n.control->tell(command)) {
      return tl::unexpected(std::string("it is not on its control socket"));
    }
  } else if (n.process.up()) {
    if (const auto answer = n.control->ask(command, kPatience); !answer) {
      return tl::unexpected(answer.error());
    }
  }
  if (replaces) {
    std::erase_if(kept, [&](const std::string& line) {
      return line.substr(0, line.rfind(' ')) == command.substr(0, command.rfind(' '));
    });
  }
  kept.push_back(std::move(command));
  return true;
}

tl::expected<bool, std::string> ProcessBackend::Impl::clock_verb(Node& n, const script::Action& action) {
  const auto& verb = action.verb;
  if (verb == "clock-offset" || verb == "clock-jump") {
    const auto by = script::read_signed_duration(word(action, 0));
    if (!by) {
      return wrong(action);
    }
    const bool offset = verb == "clock-offset";
    return keep_doing(n, n.clock,
                      std::string(offset ? "clock offset " : "clock jump ") + std::to_string(by->count()),
                      offset);
  }
  if (verb == "clock-rate") {
    const auto rate = script::read_fraction(word(action, 0));
    if (!rate || *rate < 0.1 || *rate > 10) {
      return wrong(action);
    }
    return keep_doing(n, n.clock, "clock rate " + word(action, 0), true);
  }
  if (verb == "clock-freeze") {
    return keep_doing(n, n.clock, "clock freeze", true);
  }
  const bool any = !n.clock.empty();
  auto done = keep_doing(n, n.clock, "clock heal", true);
  if (done) {
    n.clock.clear();
    done = any;
  }
  return done;
}

tl::expected<bool, std::string> ProcessBackend::Impl::disk_verb(Node& n, const script::Action& action) {
  const auto& verb = action.verb;
  std::string command = "disk " + verb;
  if (verb == "free") {
    const bool any = !n.disk.empty();
    auto done = keep_doing(n, n.disk, command, false);
    for (const auto& line : usual_disk()) {
      if (done && n.process.up()) {
        done = keep_doing(n, n.disk, line, false);
      }
    }
    if (done) {
      n.disk.clear();
      done = any;
    }
    return done;
  }
  if (verb == "full" && script::read_bytes(option(action, "after", "0")) != std::uint64_t{0}) {
    return tl::unexpected(std::string("`after` is for the simulator: the disk is full at once here"));
  }
  for (std::size_t i = 0; i < (verb == "slow" ? 1 : action.words.size()); ++i) {
    command += " " + action.words[i];
  }
  if (verb == "slow") {
    const auto range = script::read_duration_range(word(action, 1));
    if (!range) {
      return wrong(action);
    }
    command += " min=" + std::to_string(range->first.count() / 1000) +
               " max=" + std::to_string(range->second.count() / 1000);
  }
  for (const auto& [key, value] : action.options) {
    command += verb == "full" ? "" : " " + key + "=" + value;
  }
  return keep_doing(n, n.disk, std::move(command), false);
}

tl::expected<bool, std::string> ProcessBackend::Impl::flip(Node& n, const script::Action& action,
                                                           Details& details) {
  std::error_code ignored;
  fs::path newest;
  for (const auto& entry : fs::recursive_directory_iterator(n.process.dir(), ignored)) {
    if (entry.is_regular_file(ignored) && entry.file_size(ignored) > 0 &&
        matches(entry.path(), n.process.dir(), word(action, 0)) &&
        (newest.empty() || fs::last_write_time(entry, ignored) > fs::last_write_time(newest, ignored))) {
      newest = entry.path();
    }
  }
  const auto bits = script::read_number(option(action, "bits", "1"));
  if (newest.empty() || !bits) {
    return false;
  }
  const auto size = fs::file_size(newest, ignored) * 8;
  std::string said;
  std::fstream file(newest, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uint64_t i = 0; i < *bits && file; ++i) {
    const auto at = script::read_number(option(action, "at", ""));
    const auto bit = at ? *at + i : below(chance_.at(++power_fails_), size);
    if (bit >= size) {
      break;
    }
    file.seekg(static_cast<std::streamoff>(bit / 8));
    const auto byte = static_cast<char>(file.get() ^ (1 << (bit % 8)));
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(byte);
    said += (said.empty() ? "" : ", ") + std::to_string(bit);
  }
  file.flush();
  if (said.empty() || !file) {
    return false;
  }
  details["n" + to_string(n.process.id())] =
      fs::relative(newest, n.process.dir(), ignored).string() + " bits " + said;
  happened(n.process.id(), "flip", {{"bits", details["n" + to_string(n.process.id())]}});
  return true;
}

}  // namespace kiwi::lab
