#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <new>

#include "lab/fault/commands.hpp"
#include "lab/fault/files.hpp"
#include "lab/fault/jobs.hpp"
#include "lab/fault/sim_backend.hpp"
#include "lab/fault/stock_scenario.hpp"
#include "lab/mutants/hunt.hpp"
#include "messages/fault_tables.hpp"

namespace kiwi::lab {
namespace {

using Clock = std::chrono::steady_clock;

/// A run that takes longer hangs. That finds no mutant: a check has to say what is wrong.
constexpr unsigned kRunLimitSeconds = 120;

struct MutantsArguments {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::vector<std::string> only;
  std::string recorded;
  std::string record;
  std::size_t jobs = 1;
  bool table_only = false;
};

int error(const std::string& text) {
  std::cerr << "kiwi-fault: " << text << "\n";
  return exit_code(Outcome::error);
}

tl::expected<script::Scenario, std::string> stock_scenario(std::uint64_t seed) {
  auto cases = cases_of_text("stock.scenario", std::string(kStockScenario), SeedRange{seed, seed}, {});
  if (!cases) {
    return tl::unexpected(cases.error());
  }
  return std::move(cases->front());
}

void show_tables() {
  std::cout << "mutants\n";
  for (const auto& row : fault::kMutants) {
    std::cout << "  " << row.id << "  " << row.name << ": " << row.what << "\n";
  }
  std::cout << "marks\n";
  for (const auto& row : fault::kMarks) {
    std::cout << "  " << row.name << ": " << row.what << "\n";
  }
}

/// The seed that each job is at, seen by the parent when a child dies over it.
class SharedSeeds {
 public:
  explicit SharedSeeds(std::size_t count) : bytes_(count * sizeof(Seed)) {
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    seeds_ = memory == MAP_FAILED ? nullptr : new (memory) Seed[count]{};
  }
  ~SharedSeeds() {
    if (seeds_ != nullptr) {
      munmap(seeds_, bytes_);
    }
  }
  SharedSeeds(const SharedSeeds&) = delete;
  SharedSeeds& operator=(const SharedSeeds&) = delete;
  bool ok() const { return seeds_ != nullptr; }
  std::atomic<std::uint64_t>& operator[](std::size_t i) { return seeds_[i]; }

 private:
  using Seed = std::atomic<std::uint64_t>;
  std::size_t bytes_;
  Seed* seeds_ = nullptr;
};

struct Order {
  std::string name;
  std::uint64_t first = 1;
  std::uint64_t count = 1;
};

tl::expected<std::vector<Order>, std::string> orders_of(const MutantsArguments& arguments) {
  std::vector<Order> orders;
  const auto known = mutants::all_mutants();
  for (const std::string& name : arguments.only) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return tl::unexpected(fault::switch_on(name).error());
    }
  }
  const auto wanted = [&](const std::string& name) {
    const auto& only = arguments.only;
    return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
  };
  if (arguments.recorded.empty()) {
    for (const std::string& name : known) {
      if (wanted(name)) {
        orders.push_back({name, arguments.first, arguments.seeds});
      }
    }
    return orders;
  }
  const auto text = read_file(arguments.recorded);
  if (!text) {
    return tl::unexpected(text.error());
  }
  const auto recorded = mutants::parse_recorded(*text);
  if (!recorded) {
    return tl::unexpected(arguments.recorded + ": " + recorded.error());
  }
  for (const auto& entry : *recorded) {
    if (wanted(entry.name)) {
      orders.push_back({entry.name, entry.seed, 1});
    }
  }
  return orders;
}

int run_mutants(const MutantsArguments& arguments) {
  if (arguments.table_only) {
    show_tables();
    return 0;
  }
  const auto orders = orders_of(arguments);
  if (!orders) {
    return error(orders.error());
  }
  SharedSeeds seeds(orders->size());
  if (orders->empty() || !seeds.ok()) {
    return error(orders->empty() ? "no mutant to run" : "no memory to share");
  }
  std::vector<mutants::Hunt> hunts(orders->size());
  std::vector<Clock::time_point> begun(orders->size(), Clock::now());
  const auto work = [&](std::size_t i) {
    const Order& order = (*orders)[i];
    const auto start = Clock::now();
    auto hunt = mutants::hunt(order.name, order.first, order.count, stock_scenario, make_sim_backend(),
                              [&](std::uint64_t seed) {
                                seeds[i] = seed;
                                alarm(2 * kRunLimitSeconds);  // the run with it, and the one without
                              });
    alarm(0);
    hunt.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    return mutants::to_line(hunt);
  };
  const auto done = [&](std::size_t i, const std::string& result, const std::string& died) {
    mutants::Hunt& hunt = hunts[i];
    const auto read = mutants::hunt_from(result);
    hunt.name = (*orders)[i].name;
    if (read) {
      hunt = *read;
    } else {
      hunt.seed = seeds[i];
      hunt.tried = hunt.seed - (*orders)[i].first + 1;
      hunt.problem = "seed " + std::to_string(hunt.seed) + ": " + died + "; no check said why";
    }
    std::cerr << hunt.name << ": "
              << (hunt.found ? hunt.check + " at seed " + std::to_string(hunt.seed) + ": " + hunt.why
                             : "not found " + hunt.problem)
              << std::endl;
  };
  if (!run_jobs(orders->size(), std::max<std::size_t>(arguments.jobs, 1), work, done)) {
    return error("no process could be started");
  }
  std::cout << mutants::to_table(hunts);
  if (!arguments.record.empty()) {
    if (auto written = write_file(arguments.record, mutants::to_recorded(hunts)); !written) {
      return error(written.error());
    }
  }
  const bool all = std::all_of(hunts.begin(), hunts.end(), [](const auto& hunt) { return hunt.found; });
  return exit_code(all ? Outcome::pass : Outcome::fail);
}

}  // namespace

void add_mutants_command(CLI::App& app, int& exit) {
  const auto arguments = std::make_shared<MutantsArguments>();
  CLI::App* command = app.add_subcommand(
      "mutants", "Put known bugs back, one at a time, and see which seed of the stock campaign finds each");
  command->add_option("--seeds", arguments->seeds, "Give up on a mutant after so many seeds")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--first", arguments->first, "The first of them")->capture_default_str();
  command->add_option("--only", arguments->only, "Only these: NAME,NAME,...")->delimiter(',');
  command->add_option("--recorded", arguments->recorded,
                      "Run each mutant named in this file, on its seed there only");
  command->add_option("--record", arguments->record, "Write such a file of what was found");
  command->add_option("--jobs,-j", arguments->jobs, "Mutants at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_flag("--list", arguments->table_only, "Show the tables of mutants and marks instead");
  command->callback([arguments, &exit] { exit = run_mutants(*arguments); });
}

}  // namespace kiwi::lab
