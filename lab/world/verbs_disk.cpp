// Verbs on disks: words of scenarios become faults of storage/testing.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lab/formats/newer_files.hpp"
#include "lab/script/values.hpp"
#include "lab/world/world_impl.hpp"

namespace kiwi::lab {

namespace {

using sim::DiskOp;
using sim::Fault;
using sim::FaultKind;
using sim::FileClass;

tl::unexpected<std::string> wrong(const script::Action& action) {
  return tl::unexpected("'" + action.verb + "' lacks an argument or has one it does not understand");
}

std::string option(const script::Action& action, const std::string& key, std::string fallback) {
  auto found = action.options.find(key);
  return found == action.options.end() ? std::move(fallback) : found->second;
}

/// A word of kFileClasses, or a path below the node's directory.
bool place(Fault& fault, const std::string& file) {
  static const std::pair<std::string_view, FileClass> kClasses[] = {
      {"log-wal", FileClass::log_wal},
      {"log-table", FileClass::log_table},
      {"log-manifest", FileClass::log_manifest},
      {"log-marker", FileClass::log_current},
      {"data-wal", FileClass::data_wal},
      {"data-table", FileClass::data_table},
      {"data-manifest", FileClass::data_manifest},
      {"data-marker", FileClass::data_current}};
  if (file == "any")
    return true;
  if (file == "log" || file == "data") {
    fault.in_path = std::string(kNodeDir) + "/" + file + "/";
    return true;
  }
  if (file.find('/') != std::string::npos) {
    fault.in_path = std::string(kNodeDir) + "/" + file;
    return true;
  }
  for (const auto& [word, where] : kClasses) {
    if (word == file) {
      fault.where = where;
      return true;
    }
  }
  return false;
}

bool operation(Fault& fault, const std::string& call) {
  if (call == "any")
    return true;
  fault.op = sim::parse_disk_op(call == "write" ? "append" : call == "sync-dir" ? "sync_dir" : call);
  return fault.op.has_value();
}

}  // namespace

tl::expected<bool, std::string> World::Impl::disk_verb(SimNode& n, const script::Action& action,
                                                       Details& details) {
  const auto& verb = action.verb;
  auto& faults = n.hardware().fs->faults();
  const auto word = action.words.empty() ? std::string() : action.words.front();
  const auto name = "n" + to_string(n.id());
  Fault fault;
  fault.name = verb;
  fault.times = sim::kAlways;
  if (verb == "free") {
    const bool any = faults.any() || n.full();
    faults.clear();
    n.set_capacity(~std::uint64_t{0});
    n.disk_changed();
    return any;
  }
  if (verb == "full") {
    const auto after = script::read_bytes(option(action, "after", "0"));
    if (!after)
      return wrong(action);
    n.set_capacity(n.hardware().disk.size() + *after);
    return true;
  }
  if (verb == "flip") {
    Fault where;
    const auto bits = script::read_number(option(action, "bits", "1"));
    if (!bits || !place(where, word))
      return wrong(action);
    std::string said;
    for (std::uint64_t i = 0; i < *bits; ++i) {
      auto flipped = flip(n, where.where, where.in_path, option(action, "at", ""), i);
      if (flipped.empty())
        break;
      said += (said.empty() ? "" : ", ") + flipped;
    }
    if (!said.empty()) {
      details[name] = said;
      faults.count("flip");
      happened(n.id(), "flip", {{"bits", said}});
    }
    return !said.empty();
  }
  if (verb == "newer-format") {
    if (n.up())
      return tl::unexpected(std::string("it is up; only files of a node that is down can be rewritten"));
    auto& machine = n.hardware();
    auto done = make_newer(&machine.env, kNodeDir, word, [&machine] { machine.env.run_jobs(); });
    if (!done)
      return tl::unexpected(done.error());
    details[name] = *done;
    happened(n.id(), "newer-format", {{"what", *done}});
    return true;
  }
  if (verb == "stale-block") {
    Fault where;
    if (!place(where, word))
      return wrong(action);
    auto& disk = n.hardware().disk;
    for (const auto& [path, inode] : disk.files()) {
      if (where.where != FileClass::any && sim::class_of(path) != where.where)
        continue;
      if (path.find(where.in_path) == std::string::npos)
        continue;
      for (std::uint64_t at = 0; at < inode->bytes.size(); at += sim::kDiskBlockBytes) {
        if (disk.make_stale(path, at)) {
          details[name] = disk.described(path) + " at " + std::to_string(at);
          faults.count("stale-block");
          return true;
        }
      }
    }
    return false;
  }
  if (verb == "fail") {
    const auto nth = script::read_number(option(action, "nth", "1"));
    const auto count = option(action, "count", "");
    const auto times = count.empty() ? std::optional(sim::kAlways) : script::read_number(count);
    if (!nth || !times || !operation(fault, word) || !place(fault, option(action, "file", "any")))
      return wrong(action);
    const auto error = action.words.size() > 1 ? action.words[1] : std::string("eio");
    if (error == "short" && fault.op != DiskOp::read && fault.op != DiskOp::append)
      return tl::unexpected(std::string("only a read or a write can be short"));
    // A sync that fails leaves its data in the page cache, marked clean.
    fault.kind = error == "enospc" ? FaultKind::full
                 : error == "short"
                     ? (fault.op == DiskOp::read ? FaultKind::short_read : FaultKind::short_write)
                 : fault.op == DiskOp::sync ? FaultKind::sync_drops
                                            : FaultKind::error;
    fault.nth = *nth;
    fault.times = *times;
  } else if (verb == "slow") {
    const auto range = action.words.size() < 2 ? std::nullopt : script::read_duration_range(action.words[1]);
    const auto every = script::read_number(option(action, "every", "1"));
    if (!range || !every || *every == 0 || !operation(fault, word) ||
        !place(fault, option(action, "file", "any")))
      return wrong(action);
    fault.kind = FaultKind::slow;
    fault.every = *every;
    fault.delay_us = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(range->first.count() / 1000));
    n.set_slow_width(range->second - range->first);
  } else if (verb == "hang") {
    if (!operation(fault, word) || !place(fault, option(action, "file", "any")))
      return wrong(action);
    fault.kind = FaultKind::hang;
  } else if (verb == "readonly") {
    fault.kind = FaultKind::read_only;
  } else if (verb == "lose-writes" || verb == "misdirect") {
    const auto count = script::read_number(option(action, "count", "1"));
    if (!count || !place(fault, word))
      return wrong(action);
    fault.kind = verb == "misdirect" ? FaultKind::misdirected : FaultKind::lost_write;
    fault.times = *count;
  } else {
    return tl::unexpected("the simulated world has no verb '" + verb + "'");
  }
  faults.arm(std::move(fault));
  n.disk_changed();
  return true;
}

std::string World::Impl::flip(SimNode& n, FileClass where, const std::string& in_path, const std::string& at,
                              std::uint64_t number) {
  auto& disk = n.hardware().disk;
  if (at.empty() && where != FileClass::any) {
    auto flipped = disk.flip_any(where, n.chooser("flip " + std::to_string(faults_)), number);
    return flipped ? disk.described(flipped->path) + " bit " + std::to_string(flipped->bit) : std::string();
  }
  std::vector<std::string> paths;
  for (const auto& [name, inode] : disk.files())
    if ((where == FileClass::any || sim::class_of(name) == where) &&
        name.find(in_path) != std::string::npos && inode->bytes.size() > 0)
      paths.push_back(name);
  if (paths.empty())
    return {};
  // Of this kind the file that was written last, for names grow; below a folder any.
  const auto any = n.chooser("flip " + std::to_string(faults_))(in_path, "file", number);
  const auto path =
      where == FileClass::any && !in_path.empty() ? paths[below(any, paths.size())] : paths.back();
  const auto bits = disk.find(path)->bytes.size() * 8;
  const auto chosen = script::read_number(at);
  const auto bit = chosen ? (*chosen + number) % bits
                          : below(n.chooser("flip " + std::to_string(faults_))(path, "bit", number), bits);
  disk.flip(path, bit);
  return disk.described(path) + " bit " + std::to_string(bit);
}

}  // namespace kiwi::lab
