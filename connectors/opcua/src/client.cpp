#include "connectors/opcua/src/client.hpp"

#include <fmt/format.h>
#include <open62541/client.h>
#include <open62541/plugin/securitypolicy_default.h>

#include <algorithm>
#include <cstring>

#include "connectors/opcua/src/endpoint.hpp"
#include "connectors/opcua/src/trust.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::uint32_t kChannelLifetimeMs = 600'000;
// Ours come first; the library's own are for what we have stopped waiting for.
constexpr std::uint32_t kLibraryTimeoutMs = 3'600'000;

// Discovery is ours: an application uri that no server has keeps the library
// from looking for a better URL and going there.
constexpr std::string_view kNobody = "urn:tributary:nobody";

UA_Logger& silent() {
  static UA_Logger logger{[](void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {}, nullptr,
                          nullptr};
  return logger;
}

UA_StatusCode make_policy(UA_SecurityPolicy* policy, std::string_view uri, const Keys& keys) {
  const UA_ByteString certificate = borrow(keys.certificate);
  const UA_ByteString key = borrow(keys.key.reveal());
  switch (policy_of(uri)) {
    case Policy::kBasic256Sha256:
      return UA_SecurityPolicy_Basic256Sha256(policy, certificate, key, &silent());
    case Policy::kAes128Sha256RsaOaep:
      return UA_SecurityPolicy_Aes128Sha256RsaOaep(policy, certificate, key, &silent());
    case Policy::kAes256Sha256RsaPss:
      return UA_SecurityPolicy_Aes256Sha256RsaPss(policy, certificate, key, &silent());
    default:
      return UA_STATUSCODE_BADSECURITYPOLICYREJECTED;
  }
}

// The array belongs to the configuration, which gives it back to malloc.
UA_StatusCode add_policy(UA_SecurityPolicy*& list, std::size_t& count, std::string_view uri,
                         const Keys* keys) {
  for (std::size_t i = 0; i < count; ++i) {
    if (view(list[i].policyUri) == uri) return UA_STATUSCODE_GOOD;
  }
  auto* grown =
      static_cast<UA_SecurityPolicy*>(UA_realloc(list, (count + 1) * sizeof(UA_SecurityPolicy)));
  if (grown == nullptr) return UA_STATUSCODE_BADOUTOFMEMORY;
  list = grown;
  std::memset(&list[count], 0, sizeof(UA_SecurityPolicy));
  UA_StatusCode made = UA_STATUSCODE_BADSECURITYPOLICYREJECTED;
  if (policy_of(uri) == Policy::kNone) {
    made = UA_SecurityPolicy_None(&list[count], UA_BYTESTRING_NULL, &silent());
  } else if (keys != nullptr) {
    made = make_policy(&list[count], uri, *keys);
  }
  if (made == UA_STATUSCODE_GOOD) ++count;
  return made;
}

void set_login(UA_ClientConfig& config, const Login& login) {
  if (login.password) {
    auto* token = UA_UserNameIdentityToken_new();
    token->userName = copy_of(login.username);
    token->password = copy_of(login.password->reveal());
    UA_ExtensionObject_setValue(&config.userIdentityToken, token,
                                &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN]);
  } else if (login.certificate) {
    auto* token = UA_X509IdentityToken_new();
    token->certificateData = copy_of(login.certificate->certificate);
    UA_ExtensionObject_setValue(&config.userIdentityToken, token,
                                &UA_TYPES[UA_TYPES_X509IDENTITYTOKEN]);
  }
}

UA_StatusCode set_security(UA_ClientConfig& config, const ClientOptions& options) {
  UA_StatusCode status = add_policy(config.securityPolicies, config.securityPoliciesSize,
                                    uri_of(Policy::kNone), nullptr);
  if (options.endpoint == nullptr) {
    config.endpoint.endpointUrl = copy_of(options.url);
    config.endpoint.securityMode = UA_MESSAGESECURITYMODE_NONE;
    config.endpoint.securityPolicyUri = copy_of(uri_of(Policy::kNone));
    return status;
  }
  status |= UA_EndpointDescription_copy(options.endpoint, &config.endpoint);
  // The library compares it with the certificate at the head of the chain.
  const std::string leaf(leaf_of(view(config.endpoint.serverCertificate)));
  UA_ByteString_clear(&config.endpoint.serverCertificate);
  config.endpoint.serverCertificate = copy_of(leaf);
  status |= add_policy(config.securityPolicies, config.securityPoliciesSize,
                       view(config.endpoint.securityPolicyUri), options.application);
  if (options.token == nullptr) return status;
  status |= UA_UserTokenPolicy_copy(options.token, &config.userTokenPolicy);
  const std::string_view token_policy = effective_policy(*options.token, *options.endpoint);
  if (policy_of(token_policy) == Policy::kNone) return status;
  const Keys* keys = options.login.certificate ? &*options.login.certificate : options.application;
  status |= add_policy(config.securityPolicies, config.securityPoliciesSize, token_policy,
                       options.application);
  status |=
      add_policy(config.authSecurityPolicies, config.authSecurityPoliciesSize, token_policy, keys);
  return status;
}

// What the library says of an answer that it could not decode; servers say the same, with nothing
// beside it, of requests.
bool is_unreadable(UA_StatusCode status) {
  return status == UA_STATUSCODE_BADDECODINGERROR || status == UA_STATUSCODE_BADENCODINGERROR ||
         status == UA_STATUSCODE_BADINTERNALERROR || status == UA_STATUSCODE_BADOUTOFMEMORY;
}

std::uint32_t milliseconds_until(SteadyTime deadline, SteadyTime now) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 1, kLibraryTimeoutMs));
}

}  // namespace

Client::Reply::Reply(const Executor& executor, const UA_DataType* type_)
    : done(executor), type(type_), response(UA_new(type_)) {}

Client::Reply::~Reply() {
  UA_delete(response, type);
}

Client::Client(const sdk::SessionContext& context, const ClientOptions& options)
    : context_(context),
      loop_(std::make_shared<Loop>(context, Framing(options.max_message_bytes))) {}

Client::~Client() {
  abort();
}

Result<Client::Self> Client::make(const sdk::SessionContext& context,
                                  const ClientOptions& options) {
  Self client(new Client(context, options));
  TRIBUTARY_TRY(client->start(options));
  return client;
}

Result<void> Client::start(const ClientOptions& options) {
  UA_ClientConfig config;
  std::memset(&config, 0, sizeof config);
  config.logging = &silent();
  config.timeout = kLibraryTimeoutMs;
  config.secureChannelLifeTime = kChannelLifetimeMs;
  config.requestedSessionTimeout = options.session_timeout_ms;
  config.localConnectionConfig.recvBufferSize = kLargestChunk;
  config.localConnectionConfig.sendBufferSize = kLargestChunk;
  config.localConnectionConfig.localMaxMessageSize = loop_->framing().most_bytes();
  config.localConnectionConfig.localMaxChunkCount = loop_->framing().most_chunks();
  config.noSession = true;
  config.noReconnect = true;
  config.noNewSession = true;
  config.eventLoop = loop_->native();
  config.externalEventLoop = true;
  config.clientContext = this;
  config.certificateVerification.context = &accepted_;
  config.certificateVerification.verifyCertificate = [](const UA_CertificateVerification* self,
                                                        const UA_ByteString* certificate) {
    // It was judged before; here it only must be the same one.
    const auto& accepted = *static_cast<const std::string*>(self->context);
    return leaf_of(view(*certificate)) == accepted ? UA_STATUSCODE_GOOD
                                                   : UA_STATUSCODE_BADCERTIFICATEUNTRUSTED;
  };
  config.certificateVerification.verifyApplicationURI = [](const UA_CertificateVerification*,
                                                           const UA_ByteString*, const UA_String*) {
    return UA_StatusCode{UA_STATUSCODE_GOOD};
  };
  config.stateCallback = [](UA_Client* client, UA_SecureChannelState, UA_SessionState,
                            UA_StatusCode) {
    static_cast<Client*>(UA_Client_getConfig(client)->clientContext)->state_changed();
  };
  config.clientDescription.applicationType = UA_APPLICATIONTYPE_CLIENT;
  config.clientDescription.applicationName = UA_LOCALIZEDTEXT_ALLOC("", "Tributary");
  config.clientDescription.productUri = copy_of("urn:tributary");
  config.clientDescription.applicationUri =
      copy_of(options.application != nullptr ? options.application->application_uri
                                             : std::string("urn:tributary"));
  config.sessionName = copy_of("Tributary");
  config.applicationUri = copy_of(kNobody);
  config.endpointUrl = copy_of(options.url);
  set_login(config, options.login);
  const UA_StatusCode secured = set_security(config, options);
  if (options.endpoint != nullptr) accepted_ = view(config.endpoint.serverCertificate);
  if (secured == UA_STATUSCODE_GOOD) client_ = UA_Client_newWithConfig(&config);
  if (client_ != nullptr) return {};
  UA_ClientConfig_clear(&config);
  return fail(ErrorClass::kInternal, "opcua_unavailable",
              fmt::format("The security policy cannot be prepared: {}", status_name(secured)));
}

bool Client::is_open() const {
  return channel_open_ && !ended_;
}

void Client::state_changed() {
  UA_SecureChannelState channel = UA_SECURECHANNELSTATE_CLOSED;
  UA_SessionState session = UA_SESSIONSTATE_CLOSED;
  UA_Client_getState(client_, &channel, &session, &status_);
  channel_open_ = channel == UA_SECURECHANNELSTATE_OPEN;
  session_open_ = channel_open_ && session == UA_SESSIONSTATE_ACTIVATED;
  if (changed_) std::exchange(changed_, nullptr)->set();
  const bool over = channel == UA_SECURECHANNELSTATE_CLOSED || status_ != UA_STATUSCODE_GOOD;
  if (!over || ended_ || !std::exchange(was_open_, false)) return;
  if (const auto tell = std::exchange(on_lost, nullptr)) tell(failed(status_, "waiting"));
}

// A server that has accepted the login once and then says something about trust
// or users means one call, or, when it ends the channel with it, that it has
// forgotten us.
Error Client::failed(UA_StatusCode status, std::string_view what) const {
  if (ended_) return cancelled();
  if (status == UA_STATUSCODE_GOOD) status = UA_STATUSCODE_BADCONNECTIONCLOSED;
  const auto& cut = loop_->failure();
  Error error = service_error(status, what, peer_);
  // What was under way is told no more than that it is over; the library knows why.
  if (error.code == "connection_closed" && status_ != UA_STATUSCODE_GOOD)
    error = service_error(status_, what, peer_);
  if (cut && (error.code == "connection_closed" || is_unreadable(status))) return *cut;
  const bool about_us = error.error_class == ErrorClass::kTrust ||
                        error.error_class == ErrorClass::kIdentity ||
                        error.error_class == ErrorClass::kConfiguration;
  if (logged_in_ && about_us)
    error.error_class = channel_open_ ? ErrorClass::kFunction : ErrorClass::kTransient;
  return error;
}

Task<Result<void>> Client::wait_for(Self self, bool session, std::string_view what,
                                    SteadyTime deadline) {
  for (;;) {
    if (self->ended_) co_return fail(cancelled());
    if (session ? self->session_open_ : self->channel_open_) co_return Result<void>{};
    if (self->status_ != UA_STATUSCODE_GOOD || !self->loop_->connected())
      co_return fail(self->failed(
          self->status_ == UA_STATUSCODE_GOOD ? UA_STATUSCODE_BADCONNECTIONCLOSED : self->status_,
          what));
    if (!self->changed_) self->changed_ = std::make_shared<Event>(self->context_.executor);
    const auto changed = self->changed_;
    const bool in_time = co_await changed->wait_until(self->context_.timers, deadline);
    if (in_time) continue;
    if (self->ended_) co_return fail(cancelled());
    co_return fail(self->failed(UA_STATUSCODE_BADTIMEOUT, what));
  }
}

Task<Result<void>> Client::connect(Self self, std::unique_ptr<net::Stream> stream,
                                   SteadyTime deadline) {
  if (self->ended_) co_return fail(cancelled());
  self->peer_ = stream->peer();
  self->loop_->offer(std::move(stream));
  self->status_ = __UA_Client_connect(self->client_, true);
  const std::string_view what = "the greeting";
  auto open = co_await wait_for(self, false, what, deadline);
  if (open) self->was_open_ = true;
  // No server greets with a message beyond all limits: it was no message.
  if (!open && open.error().code == "message_too_large")
    co_return fail(self->failed(UA_STATUSCODE_BADTCPMESSAGETYPEINVALID, what));
  if (!open && open.error().hint.empty())
    open.error().hint = "Is this the port of an OPC UA server with the binary protocol (opc.tcp)?";
  co_return open;
}

UA_StatusCode Client::begin_session(const std::optional<Ticket>& ticket) {
  UA_Client_getConfig(client_)->noSession = false;
  if (ticket) return UA_Client_activateSessionAsync(client_, *ticket->token, borrow(ticket->nonce));
  loop_->nudge();
  return UA_STATUSCODE_GOOD;
}

void Client::take_ticket(const std::optional<Ticket>& before) {
  Ticket now;
  UA_ByteString nonce = UA_BYTESTRING_NULL;
  const UA_StatusCode known = UA_Client_getSessionAuthenticationToken(client_, &*now.token, &nonce);
  now.nonce = to_std(nonce);
  UA_ByteString_clear(&nonce);
  if (known != UA_STATUSCODE_GOOD) return;
  resumed_ = before && UA_NodeId_equal(&*before->token, &*now.token);
  ticket_ = std::move(now);
}

Task<Result<void>> Client::log_in(Self self, std::span<const UA_EndpointDescription> offered,
                                  const std::optional<Ticket>& ticket, SteadyTime deadline) {
  if (self->ended_) co_return fail(cancelled());
  UA_ClientConfig* const config = UA_Client_getConfig(self->client_);
  const std::string_view what = "the login";
  if (config->endpoint.securityMode != UA_MESSAGESECURITYMODE_NONE) {
    Owned<UA_GetEndpointsRequest> request;
    request->endpointUrl = copy_of(view(config->endpointUrl));
    auto again = co_await ask<UA_GetEndpointsResponse>(self, std::move(request), what, deadline);
    if (!again) co_return fail(std::move(again.error()));
    const std::span<const UA_EndpointDescription> now{(*again)->endpoints, (*again)->endpointsSize};
    if (!same_endpoints(offered, now)) {
      co_return fail(ErrorClass::kTrust, "endpoints_differ",
                     fmt::format("{} offered other endpoints before the channel was "
                                 "secure than it "
                                 "does now: somebody may have changed the list on its way",
                                 self->peer_),
                     "Was the server changed in this moment? If it happens again, look "
                     "for a device "
                     "between the hub and the server.",
                     "/settings/endpointUrl");
    }
  }
  const UA_StatusCode begun = self->begin_session(ticket);
  if (begun != UA_STATUSCODE_GOOD) co_return fail(self->failed(begun, what));
  auto done = co_await wait_for(self, true, what, deadline);
  self->logged_in_ = done.has_value();
  if (done) self->take_ticket(ticket);
  co_return done;
}

Task<Result<Client::SharedReply>> Client::exchange(Self self, const void* request,
                                                   const UA_DataType* type,
                                                   const UA_DataType* response_type,
                                                   std::string_view what, SteadyTime deadline) {
  if (self->ended_) co_return fail(cancelled());
  const auto now = self->context_.timers.now();
  if (!self->channel_open_ || now >= deadline) {
    const UA_StatusCode why =
        self->channel_open_ ? UA_STATUSCODE_BADTIMEOUT : UA_STATUSCODE_BADCONNECTIONCLOSED;
    co_return fail(self->failed(why, what));
  }
  const auto reply = std::make_shared<Reply>(self->context_.executor, response_type);
  auto* const header = static_cast<UA_RequestHeader*>(const_cast<void*>(request));
  header->timeoutHint = milliseconds_until(deadline, now);
  auto held = std::make_unique<SharedReply>(reply);
  const UA_StatusCode sent = __UA_Client_AsyncService(
      self->client_, request, type,
      [](UA_Client*, void* userdata, UA_UInt32, void* response) {
        const std::unique_ptr<SharedReply> waiting(static_cast<SharedReply*>(userdata));
        Reply& place = **waiting;
        const UA_StatusCode result = static_cast<UA_ResponseHeader*>(response)->serviceResult;
        // An answer whose type the library could not decode is memory that nobody has initialized.
        if (is_unreadable(result)) {
          static_cast<UA_ResponseHeader*>(place.response)->serviceResult = result;
        } else {
          std::memcpy(place.response, response, place.type->memSize);
        }
        UA_init(response, place.type);
        place.done.set();
      },
      response_type, held.get(), nullptr);
  if (sent != UA_STATUSCODE_GOOD) co_return fail(self->failed(sent, what));
  static_cast<void>(held.release());  // the callback comes once, whatever happens
  const bool answered = co_await reply->done.wait_until(self->context_.timers, deadline);
  if (self->ended_) co_return fail(cancelled());
  if (!answered) co_return fail(self->failed(UA_STATUSCODE_BADTIMEOUT, what));
  const auto result = static_cast<const UA_ResponseHeader*>(reply->response)->serviceResult;
  if (result != UA_STATUSCODE_GOOD) co_return fail(self->failed(result, what));
  co_return reply;
}

Task<void> Client::close(Self self, SteadyTime deadline) {
  self->on_lost = nullptr;
  if (self->session_open_ && !self->ended_) {
    Owned<UA_CloseSessionRequest> request;
    request->deleteSubscriptions = true;
    const std::string_view what = "the goodbye";
    const auto closed =
        co_await ask<UA_CloseSessionResponse>(self, std::move(request), what, deadline);
    static_cast<void>(closed);
  }
  if (!self->ended_ && self->channel_open_) {
    UA_Client_disconnectSecureChannelAsync(self->client_);
    // The library's goodbye is small: it goes out at once, or never.
    while (self->loop_->connected() && !self->ended_) {
      if (!self->changed_) self->changed_ = std::make_shared<Event>(self->context_.executor);
      const auto changed = self->changed_;
      const bool in_time = co_await changed->wait_until(self->context_.timers, deadline);
      if (!in_time) break;
    }
  }
  self->abort();
}

namespace {

// The library gives the memory of a password back as it is.
void wipe_password(UA_ClientConfig& config) {
  const UA_ExtensionObject& token = config.userIdentityToken;
  if (token.encoding < UA_EXTENSIONOBJECT_DECODED ||
      token.content.decoded.type != &UA_TYPES[UA_TYPES_USERNAMEIDENTITYTOKEN])
    return;
  UA_ByteString_memZero(
      &static_cast<UA_UserNameIdentityToken*>(token.content.decoded.data)->password);
}

}  // namespace

void Client::abort() noexcept {
  if (std::exchange(ended_, true)) return;
  on_lost = nullptr;
  channel_open_ = session_open_ = false;
  if (changed_) std::exchange(changed_, nullptr)->set();
  if (client_ != nullptr) {
    UA_Client_getConfig(client_)->stateCallback = nullptr;
    wipe_password(*UA_Client_getConfig(client_));
  }
  loop_->abort();
  if (client_ != nullptr) UA_Client_delete(std::exchange(client_, nullptr));
}

}  // namespace tributary::connectors::opcua
