#include "lab/run/loads.hpp"

#include <utility>

#include "lab/run/load_client.hpp"

namespace kiwi::lab {

Load::Load(LoadContext context, LoadSpec spec)
    : context_(context),
      spec_(std::move(spec)),
      arrivals_(context.chance.stream(spec_.name, "arrival")),
      picks_(context.chance.stream(spec_.name, "client of arrival")) {
  for (const LoadSpec::Share& share : spec_.mix) {
    weights_ += share.weight;
  }
  for (std::uint64_t i = 0; spec_.zipf && i < spec_.keys; ++i) {
    zipf_.push_back((i == 0 ? 0.0 : zipf_.back()) + 1.0 / static_cast<double>(i + 1));
  }
  for (std::uint64_t i = 0; i < spec_.clients; ++i) {
    clients_.push_back(std::make_unique<LoadClient>(*this, i));
  }
}

Load::~Load() { context_.timeline.cancel(arrival_); }

bool Load::start() {
  if (std::exchange(running_, true)) {
    return false;
  }
  if (spec_.rate_per_s > 0) {
    plan_arrival();
  } else {
    for (const auto& client : clients_) {
      client->wake();
    }
  }
  return true;
}

bool Load::stop() {
  context_.timeline.cancel(std::exchange(arrival_, 0));
  return std::exchange(running_, false);
}

void Load::set_rate(double per_s) {
  spec_.rate_per_s = per_s;
  context_.timeline.cancel(std::exchange(arrival_, 0));
  if (!running_) {
    return;
  }
  running_ = false;
  start();
}

void Load::plan_arrival() {
  // Evenly in (0, 2/rate]: no logarithm, whose last bit differs between machines.
  const double seconds = unit(arrivals_.next()) * 2.0 / spec_.rate_per_s;
  const auto gap = std::chrono::microseconds(1 + static_cast<std::int64_t>(seconds * 1e6));
  arrival_ = context_.timeline.plan(context_.backend.now() + gap, [this] {
    arrival_ = 0;
    arrive();
  });
}

void Load::arrive() {
  if (!running_ || exhausted()) {
    return;
  }
  const std::uint64_t first = below(picks_.next(), clients_.size());
  bool issued = false;
  for (std::uint64_t i = 0; i < clients_.size() && !issued; ++i) {
    LoadClient& client = *clients_[(first + i) % clients_.size()];
    issued = client.has_room() && issue_on(client);
  }
  shed_ += issued ? 0 : 1;
  plan_arrival();
}

bool Load::issue_on(LoadClient& client) {
  if (exhausted()) {
    return false;
  }
  ++issued_;
  client.issue();
  return true;
}

std::uint64_t Load::burst(std::uint64_t commands) {
  std::uint64_t issued = 0;
  for (bool room = true; room && issued < commands;) {
    room = false;
    for (const auto& client : clients_) {
      if (issued < commands && client->has_room() && issue_on(*client)) {
        room = true;
        ++issued;
      }
    }
  }
  return issued;
}

void Load::disconnect() {
  for (const auto& client : clients_) {
    client->disconnect();
  }
}

bool Load::idle() const {
  for (const auto& client : clients_) {
    if (!client->idle()) {
      return false;
    }
  }
  return true;
}

}  // namespace kiwi::lab
