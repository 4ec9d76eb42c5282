#include "connectors/mqtt/src/core.hpp"

#include <fmt/format.h>

#include "connectors/mqtt/src/errors.hpp"
#include "net/options.hpp"

namespace tributary::connectors::mqtt {
namespace {

// How long messages of an earlier session wait for their functions to subscribe again.
constexpr std::chrono::seconds kKeepTime{30};
// While the answer to SUBSCRIBE is awaited, reading goes on up to this many times the queues'
// bounds: the answer may stand behind a burst of retained messages.
constexpr std::size_t kSubscribingFactor = 8;
// Functions that are there when the session begins have subscribed when none did for this long;
// and a function that is made anew (edited, say) has come for what it left.
constexpr std::chrono::seconds kSettleTime{1};
// Messages that nobody took may stay unacknowledged until the connection ends, but they take the
// places of others at the broker: mosquitto, by default, has twenty.
constexpr std::size_t kMaxParked = 8;
// An end that follows a message within this time may be the broker's answer to it.
constexpr std::chrono::milliseconds kReactionTime{100};

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended by the hub"};
}

Error not_taken(std::size_t count, const std::string& peer) {
  return {
      ErrorClass::kTransient, "messages_not_taken",
      fmt::format("{} messages of {} were not accepted; the session is resumed so that they come "
                  "again",
                  count, peer),
      "Was a function or a pipeline stopped while messages came?"};
}

Error no_connack(const std::string& peer) {
  return {ErrorClass::kTransient, "timeout",
          fmt::format("{} accepted the connection and did not answer the login", peer),
          "Is this the broker's plain MQTT port, not its TLS or WebSocket port?"};
}

Error no_handshake(const std::string& peer) {
  return {ErrorClass::kTransient, "timeout",
          fmt::format("{} accepted the connection and did not answer the TLS handshake", peer),
          "Is this the broker's TLS port?"};
}

// The first message of TLS may be answered with a reset while the connection is being made already.
Error cut_before_certificate(Error error) {
  if (error.code == "connection_reset")
    error.hint = "Is this the broker's TLS port? Its log says why it cut the connection.";
  return error;
}

}  // namespace

Core::Core(const sdk::SessionContext& context, ConnectionSettings settings, Credentials credentials,
           const net::Keepalive& keepalive)
    : context_(context),
      settings_(std::move(settings)),
      credentials_(std::move(credentials)),
      keepalive_(keepalive),
      secured_(context.executor),
      answered_(context.executor),
      ending_(context.executor) {}

// ---- opening and closing ----

Result<void> Core::make_client() {
  if (credentials_.tls) {
    auto tls = net::TlsClient::make(*credentials_.tls, context_.clock.utc_now());
    if (!tls) return fail(std::move(tls.error()));
    tls_ = std::move(*tls);
  }
  const auto& password = credentials_.password;
  auto client =
      Client::create({settings_, credentials_.client_id, password ? &*password : nullptr}, *this);
  if (!client) return fail(std::move(client.error()));
  client_ = std::move(*client);
  return {};
}

std::vector<std::shared_ptr<TcpAttempt>> Core::make_attempts(
    const std::vector<net::Address>& addresses) {
  const net::Endpoint endpoint{settings_.host, static_cast<std::uint16_t>(settings_.port)};
  std::vector<std::shared_ptr<TcpAttempt>> attempts;
  for (const net::Address& address : addresses) {
    attempts.push_back(
        std::make_shared<TcpAttempt>(context_.executor, address, net::label(endpoint, address)));
  }
  return attempts;
}

Task<Result<std::shared_ptr<TcpAttempt>>> Core::dial(Self self, SteadyTime deadline,
                                                     net::StageObserver& stages) {
  const net::Endpoint endpoint{self->settings_.host,
                               static_cast<std::uint16_t>(self->settings_.port)};
  stages.begin("resolve");
  const auto addresses =
      co_await self->context_.network.resolve_cancellable(endpoint, deadline, self->dial_cancel_);
  if (!addresses) co_return fail(addresses.error());
  stages.begin("tcp");
  TRIBUTARY_CO_TRY(self->make_client());
  const auto attempts = self->make_attempts(*addresses);
  std::vector<std::shared_ptr<net::Attempt>> plain(attempts.begin(), attempts.end());
  const Result<std::size_t> winner = co_await net::race_attempts(
      self->context_.timers, endpoint, *addresses, std::move(plain), deadline, self->dial_cancel_);
  if (!winner) {
    Error error = winner.error();
    if (self->tls_) error = cut_before_certificate(std::move(error));
    co_return fail(std::move(error));
  }
  co_return attempts[*winner];
}

Task<Result<sdk::PeerIdentity>> Core::open(Self self, SteadyTime deadline,
                                           net::StageObserver& stages) {
  if (self->aborted_) co_return fail(cancelled());
  const auto attempt = co_await dial(self, deadline, stages);
  if (!attempt) co_return fail(attempt.error());
  if (self->aborted_) {
    (*attempt)->abort();
    co_return fail(cancelled());
  }
  const Result<void> applied =
      net::apply_keepalive((*attempt)->socket.native_handle(), self->keepalive_);
  self->wire_ = std::make_shared<Wire>(self->context_.executor, self->context_.timers, *self,
                                       **attempt, std::move(self->client_), self->tls_);
  Result<void> logged_in = applied;
  if (logged_in && self->tls_) logged_in = co_await shake_hands(self, deadline, stages);
  if (logged_in) logged_in = co_await log_in(self, deadline, stages);
  if (!logged_in) {
    self->wire_->abort();
    self->end(logged_in.error());
    co_return fail(std::move(logged_in.error()));
  }
  sdk::PeerIdentity identity;
  identity.product = "MQTT broker";
  identity.version = std::string(to_string(self->settings_.version));
  identity.address = self->wire_->peer();
  identity.session_present = self->connack_->session_present;
  if (self->tls_ && self->tls_->shown() != nullptr) {
    identity.certificate_sha256 = self->tls_->shown()->certificate.sha256;
  }
  co_return identity;
}

void Core::report_certificate() {
  if (const auto* shown = tls_->shown()) context_.events.certificate_shown(*shown);
}

Task<Result<void>> Core::shake_hands(Self self, SteadyTime deadline, net::StageObserver& stages) {
  stages.begin("tls");
  self->wire_->secure();
  co_await self->secured_.wait_until(self->context_.timers, deadline);
  if (self->aborted_) co_return fail(cancelled());
  self->report_certificate();
  if (self->ended_) {
    Error error = *self->ended_;
    if (self->tls_->shown() == nullptr) error = cut_before_certificate(std::move(error));
    co_return fail(std::move(error));
  }
  if (!self->certified_) co_return fail(no_handshake(self->wire_->peer()));
  co_return Result<void>{};
}

Task<Result<void>> Core::log_in(Self self, SteadyTime deadline, net::StageObserver& stages) {
  stages.begin("protocol");
  self->wire_->start();
  co_await self->answered_.wait_until(self->context_.timers, deadline);
  if (self->aborted_) co_return fail(cancelled());
  const std::string& peer = self->wire_->peer();
  if (self->connack_) {
    stages.begin("login");
    if (self->connack_->reason != 0) {
      co_return fail(
          connect_refused(self->connack_->reason, peer, self->settings_.username.has_value()));
    }
  }
  if (self->ended_) co_return fail(*self->ended_);
  if (!self->connack_) co_return fail(no_connack(peer));

  self->open_ = true;
  self->wire_->set_logged_in();
  if (self->may_have_session()) {
    // Any number that differs from one connection to the next.
    const auto since_boot = self->context_.timers.now().time_since_epoch();
    const auto ticks = std::chrono::duration_cast<std::chrono::milliseconds>(since_boot).count();
    self->wire_->client().begin_ids_at(static_cast<std::uint16_t>(ticks));
    spawn(self->context_.executor, watch_kept(self));
  }
  const auto wanted = static_cast<std::uint16_t>(self->settings_.keep_alive_seconds);
  const auto theirs = self->connack_->keep_alive_seconds.value_or(0);
  self->wire_->start_keep_alive(
      std::chrono::seconds(theirs == 0 ? wanted : std::min(wanted, theirs)));
  co_return Result<void>{};
}

Task<Result<void>> Core::check_health(Self self, SteadyTime deadline) {
  if (self->ended_) co_return fail(*self->ended_);
  if (!self->open_) co_return fail(cancelled());
  co_return co_await self->wire_->ping(deadline);
}

Task<void> Core::close(Self self, SteadyTime deadline) {
  if (self->aborted_ || !self->open_) {
    self->abort();
    co_return;
  }
  // What was started gets its confirmation, then what was received gets to its sinks; then goodbye.
  while (self->unconfirmed_ > 0 && !self->ended_) {
    if (!self->confirmed_) self->confirmed_ = std::make_shared<Event>(self->context_.executor);
    const auto changed = self->confirmed_;
    const bool in_time = co_await changed->wait_until(self->context_.timers, deadline);
    if (!in_time) break;
  }
  self->closing_ = true;
  const auto inboxes = self->inboxes_;
  for (const auto& inbox : inboxes) {
    inbox->closed = true;
    inbox->wake();
    co_await wait_until_drained(self, inbox, deadline);
  }
  if (!self->ended_) co_await self->wire_->say_goodbye(deadline);
  self->abort();
}

void Core::abort() noexcept {
  if (std::exchange(aborted_, true)) return;
  dial_cancel_->cancel();
  end(cancelled());
  if (wire_) wire_->abort();
  for (const auto& inbox : inboxes_) drop(inbox);
  router_.drop_kept();
}

void Core::drop(const std::shared_ptr<Inbox>& inbox) noexcept {
  inbox->closed = true;
  router_.drop(*inbox);
  inbox->wake();
  note_orphans();
}

void Core::end(const Error& error) {
  if (!ended_ || aborted_) ended_ = error;
  for (auto& [id, ack] : std::exchange(acks_, {})) {
    ack->error = error;
    ack->done.set();
  }
  if (confirmed_) std::exchange(confirmed_, nullptr)->set();
  for (const auto& call : std::exchange(waiting_, {})) call->look->set();
  secured_.set();
  answered_.set();
  ending_.set();
}

void Core::on_secured() {
  certified_ = true;
  secured_.set();
}

Error Core::explain_end(Error error) const {
  // A broker that does not allow a packet may close upon it; one that throws us out for another
  // client closes whenever that comes.
  const bool quiet = acks_.empty() && context_.timers.now() - published_at_ > kReactionTime;
  if (!open_ || error.code != "connection_closed" || !quiet) return error;
  error.code = sdk::kClosedWithoutReason;
  error.message += " without a reason";
  return error;
}

void Core::on_lost(Error error) {
  error = explain_end(std::move(error));
  end(error);
  if (open_) context_.events.lost(std::move(error));
}

// ---- what the client says ----

void Core::on_connack(const Connack& connack) {
  connack_ = connack;
  // What the broker kept for us may come in the very next packet.
  if (may_have_session()) keep_until_ = context_.timers.now() + kKeepTime;
  answered_.set();
}

Core::SharedAck Core::expect_ack(int id) {
  auto ack = std::make_shared<Ack>(context_.executor);
  acks_[id] = ack;
  return ack;
}

void Core::settle(int id, const std::function<void(Ack&)>& fill) {
  const auto found = acks_.find(id);
  if (found == acks_.end()) return;
  fill(*found->second);
  found->second->done.set();
  acks_.erase(found);
}

void Core::on_published(int id, int reason) {
  settle(id, [reason](Ack& ack) { ack.reason = reason; });
}

void Core::on_subscribed(int id, std::vector<int> codes) {
  settle(id, [&codes](Ack& ack) { ack.codes = std::move(codes); });
}

void Core::on_unsubscribed(int id) {
  settle(id, [](Ack&) {});
}

void Core::on_message(Message message) {
  if (!uses_identifiers()) message.subscription_ids.clear();
  Router::Keep keep = subscribing_ > 0 ? Router::Keep::kOrphan : Router::Keep::kNo;
  if (keep_until_ > SteadyTime{} && context_.timers.now() < keep_until_) {
    keep = Router::Keep::kForLater;
  }
  router_.dispatch(std::make_shared<const Message>(std::move(message)), keep);
  note_orphans();
}

bool Core::may_read() const {
  return !closing_ && !router_.full(subscribing_ > 0 ? kSubscribingFactor : 1);
}

// Identifiers live as long as the broker's session; ours start afresh with each connection, so they
// may only be used when the broker's does, too.
bool Core::uses_identifiers() const {
  return settings_.version == ConnectionSettings::Version::k5_0 && settings_.clean_session &&
         connack_ && connack_->subscription_ids;
}

// Version 3.1 does not say whether it had kept a session.
bool Core::may_have_session() const {
  const bool silent = settings_.version == ConnectionSettings::Version::k3_1;
  return connack_ && (connack_->session_present || (silent && !settings_.clean_session));
}

void Core::on_written() {
  wake_next();
}

Task<void> Core::watch_kept(Self self) {
  bool settled = false;
  while (!self->ended_) {
    const SteadyTime now = self->context_.timers.now();
    if (now >= self->keep_until_) {
      self->router_.drop_kept();
      self->wire_->settle();
      co_return;
    }
    const bool quiet = self->subscribing_ == 0 && self->subscribed_at_ > SteadyTime{} &&
                       now >= self->subscribed_at_ + kSettleTime;
    if (quiet && !std::exchange(settled, true)) {
      self->router_.settle_kept();
      self->wire_->settle();
    }
    const SteadyTime next = settled ? self->keep_until_ : now + kSettleTime / 4;
    co_await self->ending_.wait_until(self->context_.timers, next);
  }
}

void Core::note_orphans() {
  if (ended_ || router_.orphans() == 0 || std::exchange(watching_orphans_, true)) return;
  spawn(context_.executor, watch_orphans(shared_from_this()));
}

Task<void> Core::watch_orphans(Self self) {
  const SteadyTime until = self->context_.timers.now() + kSettleTime;
  co_await self->ending_.wait_until(self->context_.timers, until);
  self->watching_orphans_ = false;
  if (self->ended_ || self->closing_) co_return;
  // A session that is not kept has nothing that could come again.
  self->parked_ += self->router_.bury_orphans(self->settings_.clean_session);
  self->wire_->settle();
  if (self->parked_ > kMaxParked) {
    self->wire_->give_up(not_taken(self->parked_, self->wire_->peer()));
  }
}

void Core::resume_reading() {
  if (wire_ && may_read()) wire_->resume();
}

}  // namespace tributary::connectors::mqtt
