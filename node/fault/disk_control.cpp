#include "node/fault/disk_control.hpp"

#include <charconv>
#include <chrono>
#include <random>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>

#include "messages/codec.hpp"
#include "storage/zeroed_ahead.hpp"

namespace kiwi::fault {
namespace {

using sim::Fault;
using sim::FaultKind;
using sim::FileClass;

tl::unexpected<std::string> wrong(const std::string& what) {
  return tl::unexpected("not understood: " + what);
}

std::string option(const Words& words, const std::string& key, std::string fallback) {
  const auto found = words.options.find(key);
  return found == words.options.end() ? std::move(fallback) : found->second;
}

bool read(const std::string& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// "any", "log", "data", a class as scenarios name it, or a piece of a path with a slash in it.
bool place(Fault& fault, const std::string& file) {
  if (file == "any") {
    return true;
  }
  if (file == "log" || file == "data") {
    fault.in_path = "/" + file + "/";
    return true;
  }
  if (file.find('/') != std::string::npos) {
    fault.in_path = file;
    return true;
  }
  const auto where = file == "log-marker"    ? std::optional(FileClass::log_current)
                     : file == "data-marker" ? std::optional(FileClass::data_current)
                                             : sim::parse_file_class(file);
  fault.where = where.value_or(FileClass::any);
  return where.has_value();
}

bool operation(Fault& fault, const std::string& call) {
  if (call == "any") {
    return true;
  }
  fault.op = sim::parse_disk_op(call == "write" ? "append" : call == "sync-dir" ? "sync_dir" : call);
  return fault.op.has_value();
}

bool keeps_a_part(const sim::PowerCut& cut) {
  for (const auto& file : cut.files) {
    if (file.bytes || file.size) {
      return true;
    }
    for (const auto& write : file.writes) {
      if (!write.sectors.empty()) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

Words split_words(const std::string& line) {
  Words words;
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      words.plain.push_back(word);
    } else {
      words.options[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return words;
}

DiskControl::DiskControl(bool buffers)
    : spread_us_(std::make_shared<std::atomic<std::uint64_t>>(0)), buffers_(buffers) {
  sim::FaultFileSystemOptions options;
  options.buffers = buffers;
  options.wait = [spread = spread_us_](std::uint64_t us) {
    thread_local std::minstd_rand random{std::random_device{}()};
    const std::uint64_t more = *spread;
    std::this_thread::sleep_for(std::chrono::microseconds(us + (more == 0 ? 0 : random() % (more + 1))));
  };
  fs_ = std::make_shared<sim::FaultFileSystem>(storage::zeroed_ahead(rocksdb::FileSystem::Default()),
                                               std::move(options));
}

tl::expected<std::string, std::string> DiskControl::command(const Words& words) {
  if (words.plain.empty()) {
    return wrong("nothing");
  }
  const auto& verb = words.plain[0];
  const auto word = [&](std::size_t n) { return n < words.plain.size() ? words.plain[n] : std::string(); };
  if (verb == "free") {
    fs_->heal();
    *spread_us_ = 0;
    return std::exchange(armed_, false) ? "changed" : "same";
  }
  Fault fault;
  fault.name = verb;
  fault.times = sim::kAlways;
  std::uint64_t count = sim::kAlways;
  const auto counted = option(words, "count", "");
  if (!counted.empty() && !read(counted, count)) {
    return wrong("count");
  }
  if (verb == "fail") {
    if (!operation(fault, word(1)) || !place(fault, option(words, "file", "any")) ||
        !read(option(words, "nth", "1"), fault.nth)) {
      return wrong("fail");
    }
    const bool half = word(2) == "short";
    if (half && fault.op != sim::DiskOp::read && fault.op != sim::DiskOp::append) {
      return wrong("only a read or a write can be short");
    }
    // A sync that fails leaves its data in the page cache, marked clean.
    fault.kind = word(2) == "enospc" ? FaultKind::full
                 : half ? (fault.op == sim::DiskOp::read ? FaultKind::short_read : FaultKind::short_write)
                 : fault.op == sim::DiskOp::sync ? FaultKind::sync_drops
                                                 : FaultKind::error;
    fault.times = count;
  } else if (verb == "slow") {
    std::uint64_t most = 0;
    if (!operation(fault, word(1)) || !place(fault, option(words, "file", "any")) ||
        !read(option(words, "min", "0"), fault.delay_us) || !read(option(words, "max", "0"), most) ||
        !read(option(words, "every", "1"), fault.every) || fault.every == 0 || most < fault.delay_us) {
      return wrong("slow");
    }
    fault.kind = FaultKind::slow;
    *spread_us_ = most - fault.delay_us;
  } else if (verb == "hang") {
    if (!operation(fault, word(1)) || !place(fault, option(words, "file", "any"))) {
      return wrong("hang");
    }
    fault.kind = FaultKind::hang;
  } else if (verb == "full") {
    fault.kind = FaultKind::full;
  } else if (verb == "readonly") {
    fault.kind = FaultKind::read_only;
  } else if (verb == "lose-writes") {
    if (!place(fault, word(1))) {
      return wrong("lose-writes");
    }
    fault.kind = FaultKind::lost_write;
    fault.times = counted.empty() ? 1 : count;
  } else {
    return wrong(verb);
  }
  fs_->arm(std::move(fault));
  armed_ = true;
  return "changed";
}

tl::expected<std::string, std::string> DiskControl::power_fail(const std::string& profile, bool torn,
                                                               std::uint64_t seed) {
  const auto how = sim::parse_crash_profile(profile);
  if (!how) {
    return wrong(profile);
  }
  std::uint64_t attempt = 0;
  const auto chooser = [seed, &attempt](std::string_view entity, std::string_view decision,
                                        std::uint64_t counter) {
    return checksum64(std::to_string(seed) + "." + std::to_string(attempt) + " " + std::string(entity) + " " +
                      std::string(decision) + " " + std::to_string(counter));
  };
  const auto again = [&](const sim::PowerCut& cut) { return torn && !keeps_a_part(cut) && ++attempt < 32; };
  return sim::to_string(fs_->power_fail(*how, chooser, again));
}

}  // namespace kiwi::fault
