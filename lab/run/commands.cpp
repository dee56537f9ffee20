#include "lab/run/commands.hpp"

#include <utility>

#include "lab/run/reply_kind.hpp"
#include "lab/run/selectors.hpp"
#include "messages/assert.hpp"

namespace kiwi::lab {
namespace {

constexpr Time kBetweenAttempts = std::chrono::milliseconds(20);
/// An attempt that may be repeated is given up after this long, so that a dead node does not cost all the
/// time.
constexpr Time kAttempt = std::chrono::seconds(1);

}  // namespace

class Commands::Client final : public ConnectionOwner {
 public:
  explicit Client(Commands& owner) : owner_(owner), identity_(owner.recorder_.new_client()) {}
  ~Client() override {
    owner_.timeline_.cancel(timer_);
    owner_.switchboard_.disconnect(connection_);
  }

  void execute(Request request, Done done) {
    queue_.push_back({std::move(request), std::move(done), Time{0}});
    if (queue_.size() == 1) {
      begin();
    }
  }

  void on_connected(ConnectionId) override {
    open_ = true;
    send();
  }
  void on_reply(ConnectionId connection, const Reply& reply) override {
    if (operation_ == 0) {
      owner_.recorder_.surplus(connection, reply, now());
      return;
    }
    switch (kind_of(reply)) {
      case ReplyKind::result:
        owner_.recorder_.done(std::exchange(operation_, 0), reply, now());
        finish({history::Outcome::done, reply});
        return;
      case ReplyKind::refusal:
        owner_.recorder_.refused(std::exchange(operation_, 0), reply, now());
        refused(reply);
        return;
      case ReplyKind::unknown:
        owner_.recorder_.unknown(std::exchange(operation_, 0), reply, now());
        lost(reply);
        return;
    }
  }
  void on_closed(ConnectionId, const std::string&) override {
    connection_ = 0;
    open_ = false;
    node_ = NodeId{};
    if (operation_ == 0) {
      return;
    }
    end_attempt(true);
  }

 private:
  struct Waiting {
    Request request;
    Done done;
    Time deadline{0};
  };
  Time now() const { return owner_.backend_.now(); }
  const Request& request() const { return queue_.front().request; }

  void begin() {
    queue_.front().deadline = now() + request().timeout;
    attempt();
  }

  void attempt() {
    owner_.timeline_.cancel(timer_);
    const NodeId wanted = request().on ? request().on : (node_ ? node_ : guess());
    if (connection_ != 0 && node_ != wanted) {
      drop();
    }
    node_ = wanted;
    if (connection_ == 0) {
      connection_ = owner_.switchboard_.connect(*this, node_);
    }
    sent_ = false;
    operation_ = owner_.recorder_.invoke(std::string(kDoLoad), identity_, connection_, node_,
                                         request().command, now());
    const Time deadline = queue_.front().deadline;
    const Time until = request().read_only ? std::min(deadline, now() + kAttempt) : deadline;
    timer_ = owner_.timeline_.plan(until, [this] { end_attempt(false); });
    if (open_) {
      send();
    }
  }

  void send() {
    if (operation_ != 0 && !sent_) {
      sent_ = true;
      owner_.switchboard_.send(connection_, request().command);
    }
  }

  /// The leader as somebody believes it to be, else the first node that is up.
  NodeId guess() const {
    const auto nodes = owner_.backend_.nodes();
    if (const NodeId leader = leader_of(nodes)) {
      return leader;
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const NodeView& view = nodes[(guesses_ + i) % nodes.size()];
      if (view.up) {
        return view.id;
      }
    }
    return nodes.front().id;
  }

  void drop() {
    owner_.switchboard_.disconnect(std::exchange(connection_, 0));
    open_ = false;
  }

  /// No reply will come: the connection is gone, or it took too long.
  void end_attempt(bool closed) {
    owner_.timeline_.cancel(timer_);
    const Recorder::OperationId operation = std::exchange(operation_, 0);
    if (!closed) {
      drop();
    }
    node_ = NodeId{};
    ++guesses_;
    if (sent_) {
      owner_.recorder_.unknown(operation, std::nullopt, now());
      lost(std::nullopt);
      return;
    }
    owner_.recorder_.never_sent(operation, now());
    again_or({history::Outcome::not_done, std::nullopt}, !request().on || closed);
  }

  void lost(const std::optional<Reply>& reply) {
    identity_ = owner_.recorder_.new_client();
    if (connection_ != 0) {
      drop();
    }
    node_ = NodeId{};
    ++guesses_;
    again_or({history::Outcome::unknown, reply}, request().read_only);
  }

  void refused(const Reply& reply) {
    const std::string_view text = reply.text.view();
    NodeId next;
    if (text.substr(0, 6) == "MOVED ") {
      next = owner_.backend_.node_at(text.substr(text.rfind(' ') + 1));
      const auto nodes = owner_.backend_.nodes();
      const NodeView* view = view_of(nodes, node_);
      if (!next && view != nullptr) {
        next = view->leader;
      }
    } else {
      ++guesses_;
    }
    const bool may_repeat = !request().on && request().persistent;
    if (may_repeat && next != node_) {
      if (connection_ != 0) {
        drop();
      }
      node_ = next;
    }
    again_or({history::Outcome::not_done, reply}, may_repeat);
  }

  void again_or(const CommandResult& result, bool again) {
    owner_.timeline_.cancel(timer_);
    if (!again || now() + kBetweenAttempts >= queue_.front().deadline) {
      finish(result);
      return;
    }
    timer_ = owner_.timeline_.plan(now() + kBetweenAttempts, [this] { attempt(); });
  }

  void finish(const CommandResult& result) {
    owner_.timeline_.cancel(timer_);
    const Done done = std::move(queue_.front().done);
    queue_.pop_front();
    if (!queue_.empty()) {
      begin();
    }
    done(result);
  }

  Commands& owner_;
  std::deque<Waiting> queue_;
  std::uint64_t identity_;
  ConnectionId connection_ = 0;
  bool open_ = false;
  bool sent_ = false;
  NodeId node_;
  std::size_t guesses_ = 0;
  Recorder::OperationId operation_ = 0;
  Timeline::Id timer_ = 0;
};

Commands::Commands(Backend& backend, Switchboard& switchboard, Timeline& timeline, Recorder& recorder)
    : backend_(backend), switchboard_(switchboard), timeline_(timeline), recorder_(recorder) {}

Commands::~Commands() = default;

void Commands::execute(Request request, Done done) {
  auto& client = clients_[request.client];
  if (client == nullptr) {
    client = std::make_unique<Client>(*this);
  }
  client->execute(std::move(request), std::move(done));
}

}  // namespace kiwi::lab
