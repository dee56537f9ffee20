#include "lab/script/error.hpp"

#include <algorithm>

namespace kiwi::lab::script {
namespace {

/// Edit distance with neighbours swapped counting one; both texts are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string to_string(const Error& error) {
  std::string text = error.file;
  if (error.line > 0) {
    text.append(":").append(std::to_string(error.line)).append(":").append(std::to_string(error.column));
  }
  text.append(": ").append(error.message);
  if (error.source_line.empty()) {
    return error.hint.empty() ? text : text.append("\n  ").append(error.hint);
  }
  text.append("\n  ").append(error.source_line).append("\n  ");
  text.append(static_cast<std::size_t>(std::max(error.column - 1, 0)), ' ').append("^");
  text.append(static_cast<std::size_t>(std::max(error.length - 1, 0)), '~');
  return error.hint.empty() ? text : text.append(" ").append(error.hint);
}

std::string to_string(const Errors& errors) {
  std::string text;
  for (const auto& error : errors) {
    text.append(to_string(error)).append("\n");
  }
  return text;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > 64) {
    return {};
  }
  // A third of the letters may be wrong, one at least: "crush" is near "crash", "x" is near nothing.
  std::size_t nearest = std::max<std::size_t>(word.size() / 3, word.size() > 1 ? 1 : 0) + 1;
  std::string_view best;
  for (const auto candidate : known) {
    const std::size_t d = candidate.size() > 64 ? 64 : distance(word, candidate);
    if (d < nearest) {
      nearest = d;
      best = candidate;
    }
  }
  return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

}  // namespace kiwi::lab::script
