// One UA_Client on the session's executor: a channel, perhaps a session, and requests with
// deadlines.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/keys.hpp"
#include "connectors/opcua/src/loop.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "runtime/event.hpp"

struct UA_Client;

namespace tributary::connectors::opcua {

// Who logs in.
struct Login {
  std::string username;
  std::optional<Secret> password;
  std::optional<Keys> certificate;  // of the user
};

// By what a server knows a session again, whatever channel the next words of it come through.
// Whoever has it and the hub's key can go on with the session.
struct Ticket {
  Owned<UA_NodeId> token;
  std::string nonce;
};

struct ClientOptions {
  std::string url;  // what the server is greeted with
  std::uint32_t session_timeout_ms = 60'000;
  std::uint32_t max_message_bytes = 16U << 20;
  const Keys* application = nullptr;  // null: no certificate is shown
  // Of the server, as it was chosen and its certificate accepted; null: an insecure channel without
  // a session, to ask for endpoints.
  const UA_EndpointDescription* endpoint = nullptr;
  const UA_UserTokenPolicy* token = nullptr;
  Login login;
};

class Client final : public std::enable_shared_from_this<Client> {
 public:
  using Self = std::shared_ptr<Client>;

  // Errors: kInternal "opcua_unavailable", kConfiguration "application_certificate_invalid".
  static Result<Self> make(const sdk::SessionContext& context, const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Greets the server over `stream` and waits for the channel. Errors: as service_error and
  // net::Stream; kTransient "timeout".
  static Task<Result<void>> connect(Self self, std::unique_ptr<net::Stream> stream,
                                    SteadyTime deadline);
  // Makes sure, over the channel that nobody can change, that the server offers what it offered
  // when the endpoint was chosen (`offered` outlives the call); then makes the session and waits
  // for it. With a ticket, which outlives the call, it goes on with that session;
  // when the server refuses that, this client is of no more use. Errors besides those of ask():
  // kTrust "endpoints_differ".
  static Task<Result<void>> log_in(Self self, std::span<const UA_EndpointDescription> offered,
                                   const std::optional<Ticket>& ticket, SteadyTime deadline);
  // Of the session, once; none before the login.
  std::optional<Ticket> give_ticket() { return std::exchange(ticket_, std::nullopt); }
  // The session is the one of the ticket that log_in() had.
  bool resumed() const { return resumed_; }
  // Sends a request and waits for its answer, whose service result is good. `request` is copied on
  // the way out: it may go afterwards.
  template <typename Response, typename Request>
  static Task<Result<Owned<Response>>> ask(Self self, Owned<Request> request, std::string_view what,
                                           SteadyTime deadline);
  // Says goodbye to the session and the channel.
  static Task<void> close(Self self, SteadyTime deadline);
  // At once. Not from inside a callback.
  void abort() noexcept;

  // Called once when what was open is over, except by close() and abort().
  std::function<void(Error)> on_lost;
  const std::string& peer() const { return peer_; }
  bool is_open() const;
  std::uint64_t bytes_received() const { return loop_->bytes_received(); }

 private:
  struct Reply {
    Reply(const Executor& executor, const UA_DataType* type_);
    ~Reply();
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;
    Event done;
    const UA_DataType* type;
    void* response;
  };
  using SharedReply = std::shared_ptr<Reply>;

  Client(const sdk::SessionContext& context, const ClientOptions& options);
  Result<void> start(const ClientOptions& options);
  static Task<Result<SharedReply>> exchange(Self self, const void* request, const UA_DataType* type,
                                            const UA_DataType* response_type, std::string_view what,
                                            SteadyTime deadline);
  static Task<Result<void>> wait_for(Self self, bool session, std::string_view what,
                                     SteadyTime deadline);
  // Lets the library make the session, or go on with an old one.
  UA_StatusCode begin_session(const std::optional<Ticket>& ticket);
  void take_ticket(const std::optional<Ticket>& before);
  void state_changed();
  Error failed(UA_StatusCode status, std::string_view what) const;

  sdk::SessionContext context_;
  std::shared_ptr<Loop> loop_;
  UA_Client* client_ = nullptr;
  std::string accepted_;  // certificate that the server may show
  std::string peer_;
  std::optional<Ticket> ticket_;
  bool resumed_ = false;
  std::shared_ptr<Event> changed_;
  bool channel_open_ = false;
  bool session_open_ = false;
  bool was_open_ = false;
  bool logged_in_ = false;
  bool ended_ = false;  // by us
  UA_StatusCode status_ = UA_STATUSCODE_GOOD;
};

template <typename Response, typename Request>
Task<Result<Owned<Response>>> Client::ask(Self self, Owned<Request> request, std::string_view what,
                                          SteadyTime deadline) {
  auto reply =
      co_await exchange(self, &*request, type_of<Request>(), type_of<Response>(), what, deadline);
  if (!reply) co_return fail(std::move(reply.error()));
  Owned<Response> response;
  std::swap(*response, *static_cast<Response*>((*reply)->response));
  co_return response;
}

}  // namespace tributary::connectors::opcua
