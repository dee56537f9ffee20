#pragma once

// Ordinary actors on CAF's IO thread, beside the brokers, without the brokers' peculiarities (a dead broker's
// mailbox stays open, see peer_connection.hpp). Uses what CAF 0.17 gives brokers: the multiplexer runs
// resumables that call themselves IO actors, and takes them from other threads through its pipe.

#include <caf/all.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <type_traits>
#include <utility>

#include "actors/spawn_mode.hpp"

// CAF 0.18 takes every resumable of this kind for a broker.
static_assert(CAF_VERSION < 1800, "OnIoThread relies on the multiplexer of CAF 0.17");

namespace kiwi {

/// Base: a scheduled actor class. It must not block, but for a short write (prompt_log_actor.hpp).
template <class Base>
class OnIoThread : public Base {
 public:
  explicit OnIoThread(caf::actor_config& config)
      : Base(config), loop_(this->system().middleman().backend()) {}

  using Base::enqueue;
  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    Base::enqueue(std::move(what), &loop_);
  }
  void launch(caf::execution_unit*, bool lazy, bool hide) override { Base::launch(&loop_, lazy, hide); }
  typename Base::subtype_t subtype() const override { return Base::io_actor; }

 private:
  caf::io::network::multiplexer& loop_;
};

/// As caf::actor_system::spawn. `place` io_thread needs a system with a middleman.
template <class F, class... Ts>
caf::infer_handle_from_fun_t<F> spawn_at(caf::actor_system& system, CorePlace place, F fun, Ts&&... xs) {
  if (place == CorePlace::scheduler)
    return system.spawn(fun, std::forward<Ts>(xs)...);
  using Impl = caf::infer_impl_from_fun_t<F>;
  caf::actor_config config{&system.middleman().backend()};
  caf::detail::init_fun_factory<Impl, F> factory;
  config.init_fun = factory(std::move(fun), std::forward<Ts>(xs)...);
  return system.spawn_class<OnIoThread<Impl>, caf::no_spawn_options>(config);
}

}  // namespace kiwi
