#include "actors/client_connection.hpp"

#include <algorithm>

#include "actors/replica_errors.hpp"
#include "messages/assert.hpp"
#include "messages/codec.hpp"
#include "messages/fault_points.hpp"
#include "server/raft_commands.hpp"

namespace kiwi {

namespace {
using namespace std::chrono_literals;

// Replies of all commands in flight of one connection may weigh about this much together.
constexpr std::uint64_t kReplyBudgetBytes = 32ull << 20;
// CAF's write buffers keep the size of their largest load for as long as the connection lives.
constexpr std::size_t kHandOver = 128 << 10;
constexpr auto kCloseLimit = 5s;

/// What was gathered, as a buffer of its own. Little is copied, so that the string's memory serves on.
Bytes take(std::string& gathered) {
  constexpr std::size_t kMostCopied = 4 << 10;
  Bytes taken;
  if (gathered.size() <= kMostCopied)
    taken = Bytes::copy_of(gathered);
  else
    taken = Bytes(std::move(gathered));
  gathered.clear();
  return taken;
}
}  // namespace

ClientConnection::ClientConnection(ClientTransport& transport, std::shared_ptr<RedisShared> shared,
                                   ConnectionFacts facts)
    : transport_(transport),
      shared_(std::move(shared)),
      session_(shared_->registry, shared_->options.environment, std::move(facts), transport.now_ms()),
      parser_(shared_->options.limits) {}

void ClientConnection::received(std::string_view bytes) {
  shared_->registry->totals().input_bytes += bytes.size();
  if (closing_)
    return;
  if (const auto& stages = shared_->options.stages)
    read_us_ = stages->now();
  parser_.feed(bytes);
  pump();
  read_us_ = 0;
}

void ClientConnection::pump() {
  if (std::exchange(pumping_, true))
    return;
  for (bool waiting = true; waiting;) {
    while (!full()) {
      auto command = parser_.next();
      if (!command)
        break;
      execute(*command);
    }
    submit_batch();
    if (parser_.error() && !closing_ && !full()) {
      ++shared_->registry->totals().protocol_errors;
      slots_.emplace_back();
      slots_.back().version = session_.version();
      fill(first_slot_ + slots_.size() - 1, Reply::error("ERR " + *parser_.error()), true);
    }
    waiting = full() && !closing_;
    if (waiting)
      KIWI_MARK("client.paused");
    write_ready();
    // What was ready has left, perhaps all of it: then nothing else would bring this connection back to the
    // commands that wait in the parser.
    waiting = waiting && !full();
  }
  pumping_ = false;
  if (!full())
    transport_.room();
}

void ClientConnection::stop() {
  closing_ = true;
  if (slots_.empty())
    close_when_written();
  else
    transport_.give_up_after(shared_->options.drain_limit);
}

void ClientConnection::give_up() {
  transport_.hang_up();
  transport_.end();
}

void ClientConnection::close_when_written() {
  if (std::exchange(last_written_, true))
    return;
  if (unsent() == 0)
    transport_.end();
  else  // a client that takes nothing any more does not hold the connection for ever
    transport_.give_up_after(kCloseLimit);
}

void ClientConnection::submit_batch() {
  if (batch_.empty())
    return;
  // One buffer for the whole batch; the entries' payloads are windows into it, down to the log.
  const Bytes writes = take(shared_->write_requests);
  const Bytes reads = take(shared_->read_requests);
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const auto& buffer = batch_[i].mode == CommandMode::write ? writes : reads;
    batch_[i].payload = buffer.window(buffer.view().substr(batch_parts_[i].first, batch_parts_[i].second));
  }
  batch_parts_.clear();
  if (read_us_ != 0)
    shared_->options.stages->record_since(Stage::parse, std::exchange(read_us_, 0));
  transport_.submit(session_.id(), std::exchange(batch_, {}));
}

template <class Expected, class MakeReply>
void ClientConnection::ask(const ReplicaQuestion& question, std::uint64_t slot, MakeReply make_reply) {
  transport_.ask(question, [this, slot, make_reply](const ReplicaAnswer& answer) {
    if (auto* error = std::get_if<caf::error>(&answer))
      fill(slot, refusal_of(slot, *error));
    else
      fill(slot, make_reply(std::get<Expected>(answer)));
    pump();
  });
}

void ClientConnection::ask_node(const RedisCommand& command, std::uint64_t slot, RespVersion version,
                                bool with_stats) {
  ask<StatusPtr>(StatusRequest{with_stats}, slot, [this, command, version](const StatusPtr& status) {
    auto reply = session_.answer(command, version, *status, shared_->options.process());
    count_error(reply);
    return reply;
  });
}

void ClientConnection::init_cluster(std::uint64_t slot) {
  transport_.ask(Bootstrap{}, [this, slot](const ReplicaAnswer& answer) {
    if (auto* error = std::get_if<caf::error>(&answer))
      fill(slot, *error == caf::sec::runtime_error ? already_in_cluster()
                                                   : init_cluster_reply(transport_.render(*error)));
    else
      fill(slot, init_cluster_reply({}));
    pump();
  });
}

void ClientConnection::make_snapshot(std::uint64_t slot) {
  transport_.ask(BuildSnapshot{}, [this, slot](const ReplicaAnswer& answer) {
    if (auto* manifest = std::get_if<SnapshotManifest>(&answer))
      fill(slot, snapshot_reply(*manifest));
    else
      fill(slot, snapshot_failed(transport_.render(std::get<caf::error>(answer))));
    pump();
  });
}

std::uint64_t ClientConnection::in_flight_limit() const {
  return std::clamp<std::uint64_t>(kReplyBudgetBytes / (reply_estimate_ + 1), 1,
                                   shared_->options.max_in_flight);
}

bool ClientConnection::full() const {
  return closing_ || slots_.size() >= in_flight_limit() || unsent() >= shared_->options.max_unsent_bytes;
}

void ClientConnection::note_reply_size(std::uint64_t bytes) {
  reply_estimate_ = std::max(bytes, reply_estimate_ - reply_estimate_ / 8);
}

void ClientConnection::execute(const RedisCommand& command) {
  auto step = session_.handle(command, transport_.now_ms());
  auto slot = first_slot_ + slots_.size();
  slots_.emplace_back();
  slots_.back().version = session_.version();
  if (auto* submit = std::get_if<SubmitCommand>(&step)) {
    slots_.back().key_slot = submit->slot;
    if (batch_.empty()) {  // what a connection left that ran out of memory in the middle of its turn
      shared_->write_requests.clear();
      shared_->read_requests.clear();
    }
    auto& bytes = submit->mode == CommandMode::write ? shared_->write_requests : shared_->read_requests;
    auto begin = bytes.size();
    encode_request_to(command, bytes);
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
    ask_node(command, slot, session_.version(), need->with_stats);
  else if (std::holds_alternative<InitCluster>(step))
    init_cluster(slot);
  else if (std::holds_alternative<PutDigestMarker>(step))
    ask<Index>(DigestMarker{}, slot, [](const Index& index) { return digest_marker_reply(index); });
  else if (std::holds_alternative<MakeSnapshot>(step))
    make_snapshot(slot);
  else if (auto* admin = std::get_if<AskAdmin>(&step))
    ask<AdminAnswer>(admin->call, slot,
                     [this, spec = admin->spec, call = admin->call](const AdminAnswer& answer) {
                       auto reply = admin_reply(*spec, call, answer);
                       count_error(reply);
                       return reply;
                     });
  else if (auto* get = std::get_if<GetDigest>(&step))
    ask<DigestAnswer>(DigestRequest{get->index}, slot, [](const DigestAnswer& a) {
      return digest_reply(a.found ? std::optional(a.digest) : std::nullopt);
    });
}

void ClientConnection::answered(Answers& m) {
  for (auto& a : m.answers) {
    if (a.kind == AnswerKind::done) {
      count_error(a.reply);
      fill(a.slot, std::move(a.reply));
    } else {
      refuse(a.slot, a.kind, a.leader);
    }
  }
  pump();
  if (m.sent_us != 0 && shared_->options.stages)
    shared_->options.stages->record_since(Stage::reply, m.sent_us);
}

void ClientConnection::count_error(const Reply& reply) {
  if (reply.is_error())
    ++shared_->registry->totals().error_replies;
}

void ClientConnection::fill(std::uint64_t slot, Reply reply, bool close) {
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

void ClientConnection::refuse(std::uint64_t slot, AnswerKind kind, const NodeAddress& leader) {
  if (slot < first_slot_ || slot - first_slot_ >= slots_.size())
    return;
  ++shared_->registry->totals().error_replies;
  fill(slot, refusal(kind, leader, slots_[slot - first_slot_].key_slot));
}

Reply ClientConnection::refusal_of(std::uint64_t slot, const caf::error& error) {
  ++shared_->registry->totals().error_replies;
  auto key_slot = slot < first_slot_ ? std::uint16_t{0} : slots_[slot - first_slot_].key_slot;
  return refusal(answer_kind_of(error), leader_of(error), key_slot);
}

void ClientConnection::write_ready() {
  bool close = false;
  while (!slots_.empty() && slots_.front().done && !close) {
    if (KIWI_MUTANT(reply_to_next) && slots_.size() > 1 && slots_[1].done)
      std::swap(slots_[0], slots_[1]);
    auto& s = slots_.front();
    auto before = out_.size();
    write_reply(s.reply, s.version, out_);
    note_reply_size(out_.size() - before);
    shared_->registry->totals().output_bytes += out_.size() - before;
    close = s.close;
    slots_.pop_front();
    ++first_slot_;
  }
  auto& info = session_.info();
  info.waiting_replies = slots_.size();
  info.query_buffer_bytes = parser_.buffered_bytes();
  hand_over();
  info.reply_buffer_bytes = unsent();
  if (close || (closing_ && slots_.empty())) {
    slots_.clear();
    close_when_written();
  }
}

void ClientConnection::hand_over() {
  while (out_handed_ < out_.size() && with_transport_ < kHandOver) {
    auto size = std::min<std::size_t>(out_.size() - out_handed_, kHandOver - with_transport_);
    auto left = transport_.write({out_.data() + out_handed_, size});  // one write for all that is ready
    out_handed_ += size;
    with_transport_ += size - left;
  }
  if (out_handed_ == out_.size()) {
    out_.clear();
    out_handed_ = 0;
    if (out_.capacity() > kHandOver)
      out_.shrink_to_fit();
  }
}

void ClientConnection::transferred(std::uint64_t written) {
  with_transport_ -= std::min(with_transport_, written);
  hand_over();
  session_.info().reply_buffer_bytes = unsent();
  if (last_written_) {
    if (unsent() == 0)
      transport_.end();
    return;
  }
  pump();
}

}  // namespace kiwi
