#pragma once

// How a replica refuses a Propose, Query or DigestMarker: a caf::error of category "replica" whose code is
// the AnswerKind and whose context is the leader's address, if it is known. Only AnswerKind::unknown may have
// happened; every other kind surely has not (rule 9).

#include <caf/all.hpp>

#include "actors/inspect.hpp"
#include "messages/client_calls.hpp"

namespace kiwi {

const char* to_string(AnswerKind kind);
caf::error to_caf_error(AnswerKind kind, const NodeAddress& leader);
/// AnswerKind::unknown for every error that is not a replica's own.
AnswerKind answer_kind_of(const caf::error& error);
/// The leader that a not_leader refusal names; an empty host if it names none.
NodeAddress leader_of(const caf::error& error);
void register_replica_errors(caf::actor_system_config& config);

}  // namespace kiwi

CAF_ERROR_CODE_ENUM(kiwi::AnswerKind, "replica")
