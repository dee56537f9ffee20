#include "messages/content_hash.hpp"

#include <xxhash.h>

#include <new>

namespace kiwi {

struct ContentHasher::State {
  State() : xxh(XXH3_createState()) {
    if (xxh == nullptr)
      throw std::bad_alloc();
    XXH3_128bits_reset(xxh);
  }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* xxh;
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {}
ContentHasher::~ContentHasher() = default;
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;

void ContentHasher::add(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

ContentHash ContentHasher::hash() const {
  const auto h = XXH3_128bits_digest(state_->xxh);
  return {h.low64, h.high64};
}

}  // namespace kiwi
