#include "storage/no_auto_resume.hpp"

namespace kiwi::storage {
namespace {

class NoAutoResume : public rocksdb::EventListener {
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error,
                            bool* auto_recovery) override {
    error.PermitUncheckedError();
    *auto_recovery = false;
  }
};

}  // namespace

std::shared_ptr<rocksdb::EventListener> no_auto_resume() { return std::make_shared<NoAutoResume>(); }

}  // namespace kiwi::storage
