#include "lab/process/slowness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "lab/chance.hpp"
#include "lab/process/sockets.hpp"

namespace kiwi::lab {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kMixes = 4'000'000;
/// What the reference machine (2 cores of a 2020s server, no load) takes, with room.
constexpr double kMixesSeconds = 0.02;
constexpr int kSleeps = 50;
constexpr double kSleepSeconds = 0.0015;
constexpr int kSyncs = 8;
constexpr double kSyncSeconds = 0.010;

double ratio(Clock::time_point begin, double expected) {
  return std::max(1.0, Seconds(Clock::now() - begin).count() / expected);
}

}  // namespace

double Slowness::factor() const { return std::min(kMost, std::max({1.0, cpu, wake, disk})); }

std::string Slowness::text() const {
  char text[96];
  std::snprintf(text, sizeof text, "x%.2f (cpu x%.2f, wake-up x%.2f, disk x%.2f)", factor(), cpu, wake, disk);
  return text;
}

Slowness measure_slowness(const std::filesystem::path& dir) {
  Slowness result;
  auto begin = Clock::now();
  std::uint64_t x = 1;
  for (int i = 0; i < kMixes; ++i) {
    x = mix(x);
  }
  result.cpu = ratio(begin, kMixesSeconds);

  begin = Clock::now();
  for (int i = 0; i < kSleeps; ++i) {
    ::poll(nullptr, 0, 1);
  }
  result.wake = ratio(begin, kSleeps * kSleepSeconds);

  const auto path = dir / "slowness";
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  // What the work gave is written, so that it is done at all.
  std::string block(4096, static_cast<char>(x));
  begin = Clock::now();
  for (int i = 0; i < kSyncs && file; ++i) {
    if (::write(file.get(), block.data(), block.size()) < 0 || ::fdatasync(file.get()) != 0) {
      break;
    }
  }
  result.disk = ratio(begin, kSyncs * kSyncSeconds);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return result;
}

}  // namespace kiwi::lab
