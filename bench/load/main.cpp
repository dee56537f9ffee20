// kiwi-load: clients of a Redis server, and what they saw, as JSON.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "bench/load/connection.hpp"
#include "bench/load/generator.hpp"

int main(int argc, char** argv) {
  kiwi::bench::LoadOptions options;
  std::string what = "set";
  CLI::App app(
      "Asks a Redis server and prints what came of it as one JSON object.\n"
      "Exit codes: 0 done, 1 the server cannot be reached or hung up, 2 wrong arguments.",
      "kiwi-load");
  app.add_option("--host", options.host, "IPv4 address")->capture_default_str();
  app.add_option("--port", options.port, "Port")->required()->check(CLI::Range(1, 65535));
  app.add_option("--what", what, "set, get, or mix (80 % GET)")
      ->check(CLI::IsMember({"set", "get", "mix"}))
      ->capture_default_str();
  app.add_option("--clients", options.clients, "Connections")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--pipeline", options.pipeline,
                 "Commands that a client sends together; with --rate the most that it has unanswered")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--rate", options.rate,
                 "Commands a second at even distances; 0: as fast as they are answered")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long it counts")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--warm-up", options.warm_up_seconds, "Seconds before that")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--keys", options.workload.keys, "Keys, drawn evenly")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{999'999'999'999}))
      ->capture_default_str();
  app.add_option("--value-bytes", options.workload.value_bytes, "Size of a value")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--seed", options.workload.seed, "Of keys and values")->capture_default_str();
  app.add_flag("--progress", options.progress, "A line a second on stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  options.workload.share_of_sets = what == "set" ? 1.0 : what == "get" ? 0.0 : 0.2;
  try {
    auto result = kiwi::bench::generate(options);
    const nlohmann::json json = {{"seconds", result.seconds},
                                 {"rate", static_cast<double>(result.latencies.count()) / result.seconds},
                                 {"errors", result.errors},
                                 {"latency_us", result.latencies.summary()},
                                 {"by_second", result.by_second},
                                 {"behind", result.behind}};
    std::cout << json.dump() << "\n";
    return 0;
  } catch (const kiwi::bench::ConnectionFailed& e) {
    std::fprintf(stderr, "kiwi-load: %s\n", e.what());
    return 1;
  }
}
