#include "lab/fault/mutant.hpp"

#include "messages/fault_tables.hpp"

namespace kiwi::lab {

void add_mutant_option(CLI::App& command, std::string& mutant) {
  command.add_option("--mutant", mutant, "With this known bug put back (kiwi-fault mutants --list)");
}

tl::expected<void, std::string> switch_on_mutant(const std::string& mutant) {
  return mutant.empty() ? tl::expected<void, std::string>() : fault::switch_on(mutant);
}

}  // namespace kiwi::lab
