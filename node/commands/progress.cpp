#include "node/commands/progress.hpp"

#include <algorithm>
#include <cstdio>

namespace kiwi {

Progress::Progress(std::string doing, std::uint64_t total) : doing_(std::move(doing)), total_(total) {}

Progress::~Progress() {
  if (printed_ != began_)
    print("");
}

void Progress::add(std::uint64_t bytes, const std::string& where) {
  done_ += bytes;
  const auto now = Clock::now();
  if (now - printed_ < std::chrono::seconds(1))
    return;
  printed_ = now;
  print(where);
}

void Progress::print(const std::string& where) const {
  const auto seconds = std::max(0.001, std::chrono::duration<double>(Clock::now() - began_).count());
  std::string line = "kiwi-node: " + doing_ + " ";
  if (total_ > 0)
    line += std::to_string(std::min<std::uint64_t>(100, done_ * 100 / total_)) + " %, ";
  line += bytes_text(done_);
  if (total_ > 0)
    line += " of " + bytes_text(total_);
  line += ", " + bytes_text(static_cast<std::uint64_t>(static_cast<double>(done_) / seconds)) + "/s";
  std::fprintf(stderr, "%s%s%s\n", line.c_str(), where.empty() ? "" : ", ", where.c_str());
}

std::string bytes_text(std::uint64_t bytes) {
  char text[32];
  if (bytes < 1024)
    std::snprintf(text, sizeof text, "%u bytes", static_cast<unsigned>(bytes));
  else if (bytes < 1u << 20)
    std::snprintf(text, sizeof text, "%.1f KiB", static_cast<double>(bytes) / 1024);
  else
    std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

}  // namespace kiwi
