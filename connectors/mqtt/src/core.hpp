// One MQTT session: the state that its coroutines share. Lives on one executor.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mqtt/src/client.hpp"
#include "connectors/mqtt/src/inbox.hpp"
#include "connectors/mqtt/src/operation.hpp"
#include "connectors/mqtt/src/wire.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::mqtt {

// Messages, and bytes, handed over and not confirmed, or not written: further calls wait.
constexpr std::size_t kMaxUnconfirmed = 256;
constexpr std::size_t kMaxUnconfirmedBytes = 16U << 20;

class Core final : public ClientEvents,
                   public WireOwner,
                   public std::enable_shared_from_this<Core> {
 public:
  using Self = std::shared_ptr<Core>;

  // What a session is made of, beside its settings.
  struct Credentials {
    std::string client_id;
    std::optional<Secret> password;
    std::optional<net::TlsOptions> tls;  // nullopt: without TLS
  };
  Core(const sdk::SessionContext& context, ConnectionSettings settings, Credentials credentials,
       const net::Keepalive& keepalive);

  // As sdk::Session and sdk::Subscriber. Coroutines keep the core alive by their first parameter.
  static Task<Result<sdk::PeerIdentity>> open(Self self, SteadyTime deadline,
                                              net::StageObserver& stages);
  static Task<Result<void>> check_health(Self self, SteadyTime deadline);
  // `settings` outlives the call.
  static Task<Result<Batch>> publish(Self self, const PublishSettings& settings,
                                     Result<Outgoing> message, SteadyTime deadline);
  static Task<Result<std::shared_ptr<Inbox>>> subscribe(Self self, SubscribeSettings settings,
                                                        sdk::Sink& sink, SteadyTime deadline);
  // Unsubscribes, delivers what was received before, ends the pump.
  static Task<void> cancel(Self self, std::shared_ptr<Inbox> inbox, SteadyTime deadline);
  // Ends the pump without unsubscribing; what waits is forgotten.
  void drop(const std::shared_ptr<Inbox>& inbox) noexcept;
  static Task<void> close(Self self, SteadyTime deadline);
  void abort() noexcept;

  std::size_t max_message_bytes() const {
    return static_cast<std::size_t>(settings_.max_message_bytes);
  }

 private:
  // The broker's answer to one packet.
  struct Ack {
    explicit Ack(const Executor& executor) : done(executor) {}
    Event done;
    int reason = 0;
    std::vector<int> codes;
    std::optional<Error> error;  // the session ended first
  };
  using SharedAck = std::shared_ptr<Ack>;
  // A call that waits for room, in its place in the queue.
  struct Waiting {
    std::shared_ptr<Event> look;
  };

  // ClientEvents
  void on_connack(const Connack& connack) override;
  void on_published(int id, int reason) override;
  void on_subscribed(int id, std::vector<int> codes) override;
  void on_unsubscribed(int id) override;
  void on_message(Message message) override;
  // WireOwner
  bool may_read() const override;
  void on_secured() override;
  void on_written() override;
  void on_lost(Error error) override;

  static Task<Result<std::shared_ptr<TcpAttempt>>> dial(Self self, SteadyTime deadline,
                                                        net::StageObserver& stages);
  static Task<Result<void>> shake_hands(Self self, SteadyTime deadline, net::StageObserver& stages);
  static Task<Result<void>> log_in(Self self, SteadyTime deadline, net::StageObserver& stages);
  static Task<void> pump(Self self, std::shared_ptr<Inbox> inbox, sdk::Sink& sink);
  static Task<Result<void>> wait_for_room(Self self, std::size_t bytes, SteadyTime deadline);
  static Task<Result<void>> send_subscribes(Self self, std::shared_ptr<Inbox> inbox,
                                            SubscribeSettings settings, SteadyTime deadline);
  static Task<void> send_unsubscribes(Self self, std::shared_ptr<Inbox> inbox, SteadyTime deadline);
  static Task<void> wait_until_drained(Self self, std::shared_ptr<Inbox> inbox,
                                       SteadyTime deadline);

  // Acknowledges what nobody can come for any more when the functions have had time to subscribe.
  static Task<void> watch_kept(Self self);
  static Task<void> watch_orphans(Self self);
  // Something was left without a sink.
  void note_orphans();

  Result<void> make_client();
  std::vector<std::shared_ptr<TcpAttempt>> make_attempts(
      const std::vector<net::Address>& addresses);
  void report_certificate();
  SharedAck expect_ack(int id);
  void settle(int id, const std::function<void(Ack&)>& fill);
  // Why nothing can be done any more; nullopt while the session is open.
  const std::optional<Error>& ended() const { return ended_; }
  // The error of an orderly end without a reason, when nothing we asked can have been one.
  Error explain_end(Error error) const;
  // Ends everything that waits with this error.
  void end(const Error& error);
  bool has_room(std::size_t bytes) const;
  void release_room(std::size_t bytes);
  // Lets the first of those who wait look again.
  void wake_next();
  bool uses_identifiers() const;
  bool may_have_session() const;
  void resume_reading();

  sdk::SessionContext context_;
  const ConnectionSettings settings_;
  const Credentials credentials_;
  const net::Keepalive keepalive_;
  std::shared_ptr<net::TlsClient> tls_;  // null without TLS
  std::unique_ptr<Client> client_;       // until the wire has it

  std::shared_ptr<net::DialCancel> dial_cancel_ = std::make_shared<net::DialCancel>();
  std::shared_ptr<Wire> wire_;
  Event secured_;  // the TLS handshake is done, or failed
  bool certified_ = false;
  Event answered_;  // CONNACK came, or the connection was lost before
  std::optional<Connack> connack_;
  std::optional<Error> ended_;
  Event ending_;             // set with ended_
  SteadyTime keep_until_{};  // messages without a subscriber are kept until then
  bool open_ = false;
  bool aborted_ = false;
  bool closing_ = false;

  std::map<int, SharedAck> acks_;  // by packet id
  SteadyTime published_at_{};      // when a message was handed over last
  std::size_t unconfirmed_ = 0;
  std::size_t unconfirmed_bytes_ = 0;
  std::shared_ptr<Event> confirmed_;              // set when a call got its confirmation
  std::deque<std::shared_ptr<Waiting>> waiting_;  // for room, first come first served
  int subscribing_ = 0;                           // calls that (un)subscribe right now
  SteadyTime subscribed_at_{};                    // when the last of them was over
  bool watching_orphans_ = false;
  std::size_t parked_ = 0;
  Router router_;
  std::vector<std::shared_ptr<Inbox>> inboxes_;
};

}  // namespace tributary::connectors::mqtt
