#pragma once

// Makes every message with fields() a CAF message: printing, deep_to_string, serialization by CAF.

#include <caf/all.hpp>
#include <tuple>

#include "messages/bytes.hpp"

namespace kiwi {

template <class T>
concept FieldsMessage = requires(T& x) {
  x.fields();
  T::name;
};

template <class Inspector, FieldsMessage T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  return std::apply([&](auto&... fields) { return f(caf::meta::type_name(T::name), fields...); }, x.fields());
}

/// Bytes cross an actor_system's border as a string; within it they are shared.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, Bytes& x) {
  std::string text = x.str();
  if constexpr (Inspector::writes_state) {
    auto load = [&]() -> caf::error {
      x = Bytes(std::move(text));
      return caf::none;
    };
    return f(caf::meta::type_name("Bytes"), text, caf::meta::load_callback(load));
  } else {
    return f(caf::meta::type_name("Bytes"), text);
  }
}

}  // namespace kiwi
