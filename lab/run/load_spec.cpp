#include "lab/run/load_spec.hpp"

#include <optional>

#include "lab/script/values.hpp"

namespace kiwi::lab {
namespace {

using Problem = std::optional<std::string>;

Problem read_count(const std::string& text, std::uint64_t max, std::uint64_t& to) {
  const auto number = script::read_number(text);
  if (!number || *number < 1 || *number > max) {
    return "wants a number from 1 to " + std::to_string(max);
  }
  to = *number;
  return std::nullopt;
}

Problem read_time(const std::string& text, bool zero_allowed, Time& to) {
  const auto time = script::read_duration(text);
  if (!time || (!zero_allowed && *time == Time{0})) {
    return "wants a duration such as 500ms";
  }
  to = *time;
  return std::nullopt;
}

Problem read_mix(const std::string& text, std::vector<LoadSpec::Share>& to) {
  const auto weights = script::read_weights(text);
  if (!weights) {
    return "wants words with weights such as \"get 50, set 50\"";
  }
  to.clear();
  for (const auto& [word, weight] : *weights) {
    const LoadCommand* command = find_load_command(word);
    if (command == nullptr) {
      std::string known;
      for (const LoadCommand& each : load_commands()) {
        known += (known.empty() ? "" : ", ") + std::string(each.word);
      }
      return "has no command '" + word + "'; there are " + known;
    }
    to.push_back({command, weight});
  }
  return std::nullopt;
}

Problem read_rate_option(const std::string& text, double& to) {
  const auto rate = parse_rate(text);
  if (!rate) {
    return rate.error();
  }
  to = *rate;
  return std::nullopt;
}

Problem read_spread(const std::string& text, bool& zipf) {
  zipf = text == "zipf";
  return zipf || text == "uniform" ? std::nullopt : Problem("wants uniform or zipf");
}

Problem read_target(const std::string& text, NodeId& to) {
  if (text == "any") {
    to = NodeId{};
    return std::nullopt;
  }
  const auto node = script::read_node(text);
  if (!node) {
    return "wants a node such as n1, or any";
  }
  to = NodeId(*node);
  return std::nullopt;
}

Problem read_option(const std::string& key, const std::string& value, LoadSpec& spec) {
  if (key == "clients") {
    return read_count(value, 1000, spec.clients);
  }
  if (key == "keys") {
    return read_count(value, 100'000, spec.keys);
  }
  if (key == "mix") {
    return read_mix(value, spec.mix);
  }
  if (key == "rate") {
    return read_rate_option(value, spec.rate_per_s);
  }
  if (key == "think") {
    return read_time(value, true, spec.think);
  }
  if (key == "timeout") {
    return read_time(value, false, spec.timeout);
  }
  if (key == "pipeline") {
    return read_count(value, 1000, spec.pipeline);
  }
  if (key == "ops") {
    return read_count(value, 10'000'000, spec.max_ops);
  }
  if (key == "values") {
    return read_count(value, 1u << 20, spec.value_bytes);
  }
  if (key == "keys-by") {
    return read_spread(value, spec.zipf);
  }
  if (key == "to") {
    return read_target(value, spec.to);
  }
  if (key == "stale") {
    spec.stale = value == "none" ? "" : value;
    return std::nullopt;
  }
  return "is no option of a load";
}

}  // namespace

tl::expected<double, std::string> parse_rate(const std::string& text) {
  if (text == "closed") {
    return 0.0;
  }
  const auto rate = script::read_rate(text);
  if (!rate || *rate <= 0) {
    return tl::unexpected(std::string("wants a rate such as 200/s, or closed"));
  }
  return *rate;
}

tl::expected<LoadSpec, std::string> parse_load(const std::string& name,
                                               const std::map<std::string, std::string>& options) {
  LoadSpec spec;
  spec.name = name;
  const auto stale = options.find("stale");
  const bool reads_only = stale != options.end() && stale->second != "none";
  read_mix(reads_only ? "get 1" : "get 50, set 50", spec.mix);
  for (const auto& [key, value] : options) {
    if (const Problem problem = read_option(key, value, spec)) {
      return tl::unexpected("load " + name + ": " + key + "=" + value + ": " + key + " " + *problem);
    }
  }
  if (!spec.stale.empty()) {
    for (const LoadSpec::Share& share : spec.mix) {
      if (share.command->writes) {
        return tl::unexpected("load " + name + ": stale loads read only, and '" +
                              std::string(share.command->word) + "' writes");
      }
    }
  }
  return spec;
}

}  // namespace kiwi::lab
