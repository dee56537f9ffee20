#include "bench/load/workload.hpp"

#include <array>
#include <charconv>

namespace kiwi::bench {

namespace {
constexpr std::size_t kKeyDigits = 12;
constexpr std::string_view kGetHead = "*2\r\n$3\r\nGET\r\n$16\r\nkey:";
constexpr std::string_view kSetHead = "*3\r\n$3\r\nSET\r\n$16\r\nkey:";
}  // namespace

Workload::Workload(const WorkloadOptions& options)
    : keys_(options.keys), is_set_(options.share_of_sets), set_head_(kSetHead), random_(options.seed) {
  std::string value;
  value.reserve(options.value_bytes);
  // Letters at random: a value that compresses to nothing would flatter who compresses.
  while (value.size() < options.value_bytes) value += static_cast<char>('a' + random_() % 26);
  set_tail_ = "\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
}

void Workload::append_next(std::string& out) {
  const bool set = is_set_(random_);
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), random_() % keys_);
  const auto length = static_cast<std::size_t>(end - digits.data());
  out += set ? std::string_view(set_head_) : kGetHead;
  out.append(kKeyDigits - length, '0');
  out.append(digits.data(), length);
  out += set ? std::string_view(set_tail_) : "\r\n";
}

}  // namespace kiwi::bench
