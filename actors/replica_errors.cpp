#include "actors/replica_errors.hpp"

namespace kiwi {

namespace {
constexpr auto kCategory = caf::atom("replica");
}

const char* to_string(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::done:
      return "done";
    case AnswerKind::not_leader:
      return "not-leader";
    case AnswerKind::no_leader:
      return "no-leader";
    case AnswerKind::no_cluster:
      return "no-cluster";
    case AnswerKind::overloaded:
      return "overloaded";
    case AnswerKind::too_large:
      return "too-large";
    case AnswerKind::loading:
      return "loading";
    case AnswerKind::stopping:
      return "stopping";
    case AnswerKind::handing_over:
      return "handing-over";
    case AnswerKind::removed:
      return "removed";
    case AnswerKind::no_space:
      return "no-space";
    case AnswerKind::out_of_service:
      return "out-of-service";
    case AnswerKind::unknown:
      return "unknown";
  }
  return "unknown-kind";
}

caf::error to_caf_error(AnswerKind kind, const NodeAddress& leader) { return caf::make_error(kind, leader); }

AnswerKind answer_kind_of(const caf::error& error) {
  return error && error.category() == kCategory ? static_cast<AnswerKind>(error.code()) : AnswerKind::unknown;
}

NodeAddress leader_of(const caf::error& error) {
  return error && error.category() == kCategory && error.context().match_elements<NodeAddress>()
             ? error.context().get_as<NodeAddress>(0)
             : NodeAddress{};
}

void register_replica_errors(caf::actor_system_config& config) {
  config.add_error_category(kCategory, [](std::uint8_t code, caf::atom_value, const caf::message&) {
    return std::string("replica: ") + to_string(static_cast<AnswerKind>(code));
  });
}

}  // namespace kiwi
