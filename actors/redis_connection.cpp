#include "actors/redis_connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/peer_socket.hpp"
#include "actors/replica_errors.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/key_slot.hpp"

namespace kiwi {

namespace {
using namespace std::chrono_literals;

// CAF clears the whole buffer before each read, so it grows only for clients that fill it.
constexpr std::size_t kSmallestRead = 4 << 10;
constexpr std::size_t kLargestRead = 64 << 10;
// Replies of all commands in flight of one connection may weigh about this much together.
constexpr std::uint64_t kReplyBudgetBytes = 32ull << 20;
// CAF's write buffers keep the size of their largest load for as long as the connection lives.
constexpr std::size_t kHandOver = 128 << 10;
constexpr auto kCloseLimit = 5s;
}  // namespace

void RedisConnectionState::start(caf::io::connection_handle handle, std::shared_ptr<RedisShared> with) {
  hdl_ = handle;
  shared_ = std::move(with);
  ConnectionFacts facts;
  facts.address = remote_address(*self, hdl_);
  facts.local_address = shared_->options.bind_address + ":" + std::to_string(shared_->options.port);
  facts.fd = fd_of(hdl_);
  session_.emplace(shared_->registry, shared_->options.environment, std::move(facts), now_ms());
  parser_.emplace(shared_->options.limits);
  read_size_ = kSmallestRead;
  self->configure_read(hdl_, caf::io::receive_policy::at_most(read_size_));
  self->ack_writes(hdl_, true);  // asks for data_transferred_msg
  self->trigger(hdl_, 1);        // from now on every read must be permitted
}

std::uint64_t RedisConnectionState::now_ms() const {
  auto now = self->clock().now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t RedisConnectionState::in_flight_limit() const {
  return std::clamp<std::uint64_t>(kReplyBudgetBytes / (reply_estimate_ + 1), 1,
                                   shared_->options.max_in_flight);
}

bool RedisConnectionState::full() const {
  return closing_ || slots_.size() >= in_flight_limit() || unsent() >= shared_->options.max_unsent_bytes;
}

void RedisConnectionState::note_reply_size(std::uint64_t bytes) {
  reply_estimate_ = std::max(bytes, reply_estimate_ - reply_estimate_ / 8);
}

void RedisConnectionState::received(const std::vector<char>& bytes) {
  ++pauses_;  // ends read_on()
  shared_->registry->totals().input_bytes += bytes.size();
  if (bytes.size() == read_size_ && read_size_ < kLargestRead) {
    read_size_ *= 2;
    self->configure_read(hdl_, caf::io::receive_policy::at_most(read_size_));
  } else if (bytes.size() < read_size_ / 8 && read_size_ > kSmallestRead) {
    read_size_ /= 2;
    self->configure_read(hdl_, caf::io::receive_policy::at_most(read_size_));
  }
  if (closing_)
    return;
  parser_->feed({bytes.data(), bytes.size()});
  pump();
  if (!full())
    self->trigger(hdl_, 1);  // otherwise this was the last permitted read: CAF pauses the connection
}

void RedisConnectionState::passivated() {
  paused_ = true;
  ++pauses_;
  pump();  // room may have come meanwhile
}

void RedisConnectionState::read_on(std::uint64_t pause, int times) {
  // CAF 0.17.6 forgets a trigger() that comes before its IO loop has carried out the pause, so it is said
  // again a little later, until data comes.
  if (paused_ || closing_ || pause != pauses_ || times == 0)
    return;
  self->trigger(hdl_, 1);
  caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), 10ms, caf::tick_atom_v, pause, times - 1);
}

void RedisConnectionState::pump() {
  if (std::exchange(pumping_, true))
    return;
  while (!full()) {
    auto command = parser_->next();
    if (!command)
      break;
    execute(*command);
  }
  submit_batch();
  if (parser_->error() && !closing_ && !full()) {
    ++shared_->registry->totals().protocol_errors;
    slots_.emplace_back();
    slots_.back().version = session_->version();
    fill(first_slot_ + slots_.size() - 1, Reply::error("ERR " + *parser_->error()), true);
  }
  pumping_ = false;
  write_ready();
  if (paused_ && !full()) {
    paused_ = false;
    read_on(pauses_, 3);
  }
}

void RedisConnectionState::execute(const RedisCommand& command) {
  auto step = session_->handle(command, now_ms());
  auto slot = first_slot_ + slots_.size();
  slots_.emplace_back();
  slots_.back().version = session_->version();
  if (auto* submit = std::get_if<SubmitCommand>(&step)) {
    slots_.back().key_slot = submit->slot;
    auto& bytes = batch_bytes_[submit->mode == CommandMode::write ? 0 : 1];
    auto begin = bytes.size();
    encode_request_to(ClientRequest{command}, bytes);
    batch_parts_.emplace_back(begin, bytes.size() - begin);
    batch_.push_back(ClientCommand{slot, submit->mode, {}});
    return;
  }
  if (auto* now = std::get_if<ReplyNow>(&step)) {
    fill(slot, std::move(now->reply), now->close);
    return;
  }
  submit_batch();  // what the node is asked now comes after what was sent before
  if (auto* need = std::get_if<NeedStatus>(&step))
    ask_node(command, slot, session_->version(), need->with_stats);
  else if (std::holds_alternative<InitCluster>(step))
    init_cluster(slot);
  else if (std::holds_alternative<PutDigestMarker>(step))
    put_digest_marker(slot);
  else if (auto* get = std::get_if<GetDigest>(&step))
    get_digest(slot, get->index);
}

void RedisConnectionState::submit_batch() {
  if (batch_.empty())
    return;
  // One buffer for the whole batch; the entries' payloads are windows into it, down to the log.
  const Bytes writes(std::exchange(batch_bytes_[0], {}));
  const Bytes reads(std::exchange(batch_bytes_[1], {}));
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto& buffer = batch_[i].mode == CommandMode::write ? writes : reads;
    batch_[i].payload = buffer.window(buffer.view().substr(batch_parts_[i].first, batch_parts_[i].second));
  }
  batch_parts_.clear();
  self->send(shared_->options.replica,
             Submit{session_->id(), caf::actor_cast<ClientPort>(self), std::exchange(batch_, {})});
}

void RedisConnectionState::answered(Answers& m) {
  for (auto& a : m.answers) {
    if (a.kind == AnswerKind::done) {
      count_error(a.reply);
      fill(a.slot, std::move(a.reply));
    } else {
      refuse(a.slot, a.kind, a.leader);
    }
  }
  pump();
}

void RedisConnectionState::count_error(const Reply& reply) {
  if (reply.is_error())
    ++shared_->registry->totals().error_replies;
}

void RedisConnectionState::fill(std::uint64_t slot, Reply reply, bool close) {
  if (slot < first_slot_ || slot - first_slot_ >= slots_.size())
    return;
  auto& s = slots_[slot - first_slot_];
  KIWI_ASSERT(!s.done, "each command is answered once");
  s.done = true;
  s.close = close;
  s.reply = std::move(reply);
  if (close)
    closing_ = true;  // nothing behind it is looked at
}

void RedisConnectionState::refuse(std::uint64_t slot, AnswerKind kind, const NodeAddress& leader) {
  if (slot < first_slot_ || slot - first_slot_ >= slots_.size())
    return;
  ++shared_->registry->totals().error_replies;
  fill(slot, refusal(kind, leader, slots_[slot - first_slot_].key_slot));
}

Reply RedisConnectionState::refusal_of(std::uint64_t slot, const caf::error& error) {
  ++shared_->registry->totals().error_replies;
  auto key_slot = slot < first_slot_ ? std::uint16_t{0} : slots_[slot - first_slot_].key_slot;
  return refusal(answer_kind_of(error), leader_of(error), key_slot);
}

void RedisConnectionState::write_ready() {
  bool close = false;
  while (!slots_.empty() && slots_.front().done && !close) {
    auto& s = slots_.front();
    auto before = out_.size();
    write_reply(s.reply, s.version, out_);
    note_reply_size(out_.size() - before);
    shared_->registry->totals().output_bytes += out_.size() - before;
    close = s.close;
    slots_.pop_front();
    ++first_slot_;
  }
  auto& info = session_->info();
  info.waiting_replies = slots_.size();
  info.query_buffer_bytes = parser_->buffered_bytes();
  hand_over();
  info.reply_buffer_bytes = unsent();
  if (close || (closing_ && slots_.empty())) {
    slots_.clear();
    close_when_written();
  }
}

void RedisConnectionState::hand_over() {
  auto size =
      std::min<std::size_t>(out_.size() - out_handed_, with_caf_ < kHandOver ? kHandOver - with_caf_ : 0);
  if (size > 0) {
    self->write(hdl_, size, out_.data() + out_handed_);
    self->flush(hdl_);  // one flush for all that is ready
    out_handed_ += size;
    with_caf_ += size;
  }
  if (out_handed_ == out_.size()) {
    out_.clear();
    out_handed_ = 0;
    if (out_.capacity() > kHandOver)
      out_.shrink_to_fit();
  }
}

void RedisConnectionState::close_when_written() {
  if (std::exchange(last_written_, true))
    return;
  if (unsent() == 0)
    self->quit();
  else  // a client that takes nothing any more does not hold the connection for ever
    caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), kCloseLimit, caf::timeout_atom_v);
}

void RedisConnectionState::transferred(std::uint64_t written) {
  with_caf_ -= std::min(with_caf_, written);
  hand_over();
  session_->info().reply_buffer_bytes = unsent();
  if (last_written_) {
    if (unsent() == 0)
      self->quit();
    return;
  }
  pump();
}

void RedisConnectionState::stop(const caf::error&) {
  closing_ = true;
  if (slots_.empty())
    close_when_written();
  else
    caf::delayed_anon_send(caf::actor_cast<caf::actor>(self), shared_->options.drain_limit,
                           caf::timeout_atom_v);
}

void RedisConnectionState::give_up_draining() {
  hang_up(*self, hdl_);
  self->quit();
}

void RedisConnectionState::ask_node(const RedisCommand& command, std::uint64_t slot, RespVersion version,
                                    bool with_stats) {
  self->request(shared_->options.replica, caf::infinite, StatusRequest{with_stats})
      .then(
          [this, command, slot, version](const StatusPtr& status) {
            auto reply = session_->answer(command, version, *status, shared_->options.process());
            count_error(reply);
            fill(slot, std::move(reply));
            pump();
          },
          [this, slot](const caf::error& e) {
            fill(slot, refusal_of(slot, e));
            pump();
          });
}

void RedisConnectionState::init_cluster(std::uint64_t slot) {
  self->request(shared_->options.replica, caf::infinite, Bootstrap{})
      .then(
          [this, slot](ClusterId) {
            fill(slot, init_cluster_reply({}));
            pump();
          },
          [this, slot](const caf::error& e) {
            fill(slot, e == caf::sec::runtime_error ? already_in_cluster()
                                                    : init_cluster_reply(self->system().render(e)));
            pump();
          });
}

void RedisConnectionState::put_digest_marker(std::uint64_t slot) {
  self->request(shared_->options.replica, caf::infinite, DigestMarker{})
      .then(
          [this, slot](Index index) {
            fill(slot, digest_marker_reply(index));
            pump();
          },
          [this, slot](const caf::error& e) {
            fill(slot, refusal_of(slot, e));
            pump();
          });
}

void RedisConnectionState::get_digest(std::uint64_t slot, Index index) {
  self->request(shared_->options.replica, caf::infinite, DigestRequest{index})
      .then(
          [this, slot](const DigestAnswer& a) {
            fill(slot, digest_reply(a.found ? std::optional(a.digest) : std::nullopt));
            pump();
          },
          [this, slot](const caf::error& e) {
            fill(slot, refusal_of(slot, e));
            pump();
          });
}

caf::behavior redis_connection(RedisConnectionState::Self self, caf::io::connection_handle hdl,
                               std::shared_ptr<RedisShared> shared) {
  auto* state = &self->state;
  self->set_exit_handler([state](const caf::exit_msg& m) { state->stop(m.reason); });
  state->start(hdl, std::move(shared));
  return {
      [state](const caf::io::new_data_msg& m) { state->received(m.buf); },
      [state](const caf::io::connection_passivated_msg&) { state->passivated(); },
      [state](const caf::io::data_transferred_msg& m) { state->transferred(m.written); },
      [self](const caf::io::connection_closed_msg&) { self->quit(); },
      [state](Answers& m) { state->answered(m); },
      [state](caf::tick_atom, std::uint64_t pause, int times) { state->read_on(pause, times); },
      [state](caf::timeout_atom) { state->give_up_draining(); },
  };
}

}  // namespace kiwi
