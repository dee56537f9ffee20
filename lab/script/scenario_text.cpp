#include "lab/script/format.hpp"

#include <algorithm>

#include "lab/script/lower.hpp"
#include "lab/script/values.hpp"

namespace kiwi::lab::script {
namespace {

/// Where the first statement of a block at the left margin begins, and those below it.
constexpr std::size_t kBodyColumn = 10;

/// Writes lines; the first statement of a block stands behind its time word.
class Writer {
 public:
  std::string take() { return std::move(text_); }

  void block(const Block& block) {
    begin(0);
    write(block, kBodyColumn);
    end_line();
  }

 private:
  void begin(std::size_t column) { line_.assign(column, ' '); }
  void end_line() {
    text_.append(line_).append("\n");
    line_.clear();
  }

  /// On the line that is begun; statements of the body stand in `column` at least.
  void write(const Block& block, std::size_t column) {
    line_.append(to_text(block.when));
    if (block.body.empty()) {
      return;
    }
    // A block as the only statement stays on the line; followed by others it goes below, for the lines below
    // a line belong to its last time word.
    const bool below = block.body.size() > 1 && std::holds_alternative<Block>(block.body.front().value);
    const std::size_t own = line_.find_first_not_of(' ');
    column = std::max(column, own + 2);
    bool first = true;
    for (const auto& statement : block.body) {
      if (first && !below) {
        line_.append(line_.size() < column ? std::string(column - line_.size(), ' ') : " ");
      } else {
        end_line();
        begin(column);
      }
      first = false;
      write(statement, column);
    }
  }

  void write(const Statement& statement, std::size_t column) {
    if (const auto* let = std::get_if<Let>(&statement.value)) {
      line_.append("let ").append(let->name).append(" = ");
      line_.append(std::holds_alternative<Selector>(let->value) ? to_text(std::get<Selector>(let->value))
                                                                : to_text(std::get<Predicate>(let->value)));
    } else if (const auto* call = std::get_if<VerbCall>(&statement.value)) {
      line_.append(to_text(*call));
    } else if (const auto* expect = std::get_if<Expect>(&statement.value)) {
      line_.append(to_text(*expect));
    } else {
      write(std::get<Block>(statement.value), column);
    }
  }

  std::string text_;
  std::string line_;
};

std::string settings_line(std::string head, const std::vector<Setting>& settings) {
  for (const auto& setting : settings) {
    head.append(" ").append(setting.key).append("=").append(word_text(setting.value));
  }
  return head.append("\n");
}

std::string checks_line(std::string_view head, const std::vector<Predicate>& checks) {
  if (checks.empty()) {
    return {};
  }
  std::string text(head);
  for (const auto& check : checks) {
    text.append(&check == &checks.front() ? "" : ", ").append(to_text(check));
  }
  return text.append("\n");
}

}  // namespace

std::string to_text(const Scenario& scenario) {
  std::string text = "scenario  " + scenario.name + "\n";
  if (!scenario.about.empty()) {
    text.append("about     ").append(scenario.about).append("\n");
  }
  if (!scenario.cluster.empty()) {
    text.append(settings_line("cluster  ", scenario.cluster));
  }
  for (const auto& load : scenario.loads) {
    text.append(settings_line("load      " + load.name, load.settings));
  }
  if (scenario.noise) {
    std::string windows;
    for (const auto& window : *scenario.noise) {
      windows.append(windows.empty() ? "" : ", ")
          .append(write_duration(window.from) + ".." + write_duration(window.to));
    }
    text.append("noise     ").append(windows.empty() ? "none" : windows).append("\n");
  }
  if (!scenario.actions.empty() || !scenario.blocks.empty()) {
    text.append("\n");
  }
  for (const auto& action : scenario.actions) {
    text.append(lower(action)).append("\n");
  }
  Writer writer;
  for (const auto& block : scenario.blocks) {
    writer.block(block);
  }
  text.append(writer.take());
  const std::string checks =
      checks_line("always    ", scenario.always) + checks_line("finally   ", scenario.finally);
  return checks.empty() ? text : text.append("\n").append(checks);
}

}  // namespace kiwi::lab::script
