#include "messages/storage_error.hpp"

namespace kiwi {

const char* to_string(StorageSubject x) {
  switch (x) {
    case StorageSubject::log:
      return "log";
    case StorageSubject::vote:
      return "vote";
    case StorageSubject::state_machine:
      return "state-machine";
    case StorageSubject::snapshot:
      return "snapshot";
    case StorageSubject::identity:
      return "identity";
  }
  return "unknown-subject";
}

const char* to_string(StorageVerb x) {
  switch (x) {
    case StorageVerb::open:
      return "open";
    case StorageVerb::read:
      return "read";
    case StorageVerb::write:
      return "write";
    case StorageVerb::seek:
      return "seek";
    case StorageVerb::remove:
      return "delete";
    case StorageVerb::sync:
      return "sync";
  }
  return "unknown-verb";
}

const char* to_string(StorageKind x) {
  switch (x) {
    case StorageKind::io:
      return "io";
    case StorageKind::corruption:
      return "corruption";
    case StorageKind::no_space:
      return "no-space";
    case StorageKind::invalid_request:
      return "invalid-request";
    case StorageKind::mismatch:
      return "mismatch";
    case StorageKind::unavailable:
      return "unavailable";
    case StorageKind::unsupported:
      return "unsupported";
  }
  return "unknown-kind";
}

const char* to_string(StorageOutcome x) {
  return x == StorageOutcome::not_written ? "not-written" : "unknown";
}

std::string to_string(const StorageError& e) {
  return std::string(to_string(e.subject)) + " " + to_string(e.verb) + " " + to_string(e.kind) + " (" +
         to_string(e.outcome) + "): " + e.cause;
}

}  // namespace kiwi
