// The connector and its sessions: a channel to the mail server, proven by a login and a NOOP.
#include "sdk/connector.hpp"

#include <fmt/format.h>

#include "connectors/smtp/resources.hpp"
#include "connectors/smtp/settings.hpp"
#include "connectors/smtp/src/letter.hpp"
#include "connectors/smtp/src/throttle.hpp"
#include "http/channel.hpp"
#include "http/encoding.hpp"

namespace tributary::connectors::smtp {
namespace {

// Shared by the session and its running coroutines.
struct State {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_,
        std::shared_ptr<Throttle> throttle_)
      : context(context_), settings(std::move(settings_)), throttle(std::move(throttle_)) {}

  sdk::SessionContext context;
  ConnectionSettings settings;
  std::shared_ptr<Throttle> throttle;
  std::string connection_id;
  Mailbox from;
  Secret password;  // taken out of what errors say
  std::unique_ptr<http::Channel> channel;
  std::string certificate;
  std::uint64_t mails = 0;
  bool opened = false;
  bool proven = false;  // open() has just asked what the first health check would ask
};

Error over() {
  return Error(ErrorClass::kCancelled, "cancelled", "The session is over.");
}

std::string domain_of(const std::string& address) {
  return address.substr(address.rfind('@') + 1);
}

http::MailSecurity to_security(ConnectionSettings::Security security) {
  switch (security) {
    case ConnectionSettings::Security::kTls:
      return http::MailSecurity::kTls;
    case ConnectionSettings::Security::kNone:
      return http::MailSecurity::kNone;
    case ConnectionSettings::Security::kStarttls:
      break;
  }
  return http::MailSecurity::kStartTls;
}

// To this server, to nobody yet.
http::Mail envelope(const State& state) {
  http::Mail mail;
  mail.host = state.settings.host;
  mail.port = static_cast<std::uint16_t>(state.settings.port);
  mail.security = to_security(state.settings.security);
  mail.client_name = state.settings.client_name.value_or(domain_of(state.from.address));
  mail.from = state.from.address;
  return mail;
}

// A server may repeat what it was told.
Error without_password(const State& state, Error error) {
  constexpr std::size_t kShortest = 4;
  const std::string_view text = state.password.reveal();
  if (text.size() < kShortest) return error;
  for (auto at = error.message.find(text); at != std::string::npos;
       at = error.message.find(text, at))
    error.message.replace(at, text.size(), "***");
  return error;
}

Task<Result<http::Answer>> exchange(std::shared_ptr<State> state, http::Mail mail,
                                    SteadyTime deadline, http::Watcher watcher) {
  auto sending = state->channel->send_mail(std::move(mail), deadline, std::move(watcher));
  auto answer = co_await std::move(sending);
  if (!answer) co_return fail(without_password(*state, std::move(answer.error())));
  co_return answer;
}

// A login and a NOOP. There is no mail that could be at fault.
Task<Result<http::Answer>> probe(std::shared_ptr<State> state, SteadyTime deadline,
                                 http::Watcher watcher) {
  http::Mail nothing = envelope(*state);
  auto asking = exchange(state, std::move(nothing), deadline, std::move(watcher));
  auto answer = co_await std::move(asking);
  if (!answer && answer.error().error_class == ErrorClass::kFunction) {
    answer.error().error_class = ErrorClass::kTransient;
    answer.error().code = "server_refused";
    answer.error().hint = "Does the server accept this client? Its own log says why.";
  }
  co_return answer;
}

Task<Result<sdk::PeerIdentity>> open_session(std::shared_ptr<State> state, SteadyTime deadline,
                                             net::StageObserver& stages) {
  if (std::exchange(state->opened, true)) co_return fail(over());
  stages.begin("resolve");
  http::Watcher watcher;
  watcher.stage = [&stages](std::string_view stage) { stages.begin(stage); };
  watcher.certificate = [state](const net::ShownCertificate& shown) {
    state->certificate = shown.certificate.sha256;
    state->context.events.certificate_shown(shown);
  };
  auto asking = probe(state, deadline, std::move(watcher));
  const auto answer = co_await std::move(asking);
  if (!answer) {
    state->channel->abort();
    co_return fail(answer.error());
  }
  state->proven = true;
  sdk::PeerIdentity identity;
  identity.product = http::excerpt(answer->header("greeting"));
  identity.address = answer->peer;
  identity.certificate_sha256 = state->certificate;
  co_return identity;
}

Task<Result<void>> check(std::shared_ptr<State> state, SteadyTime deadline) {
  if (state->channel->is_over()) co_return fail(over());
  if (std::exchange(state->proven, false)) co_return Result<void>{};
  http::Watcher nobody;
  auto asking = probe(state, deadline, std::move(nobody));
  auto answer = co_await std::move(asking);
  const auto ended = [](const Error& error) {
    return error.code == "connection_reset" || error.code == "connection_closed";
  };
  if (!answer && ended(answer.error()) && !state->channel->is_over()) {
    // The connection that was kept has ended meanwhile: whether there is a server a new one tells.
    http::Watcher again;
    auto asking_again = probe(state, deadline, std::move(again));
    answer = co_await std::move(asking_again);
  }
  if (!answer) co_return fail(answer.error());
  co_return Result<void>{};
}

std::string id_of(State& state, const SendOperation& operation, const Json& parameters,
                  UtcTime now) {
  auto id = stable_id(state.connection_id, operation, parameters);
  if (!id) {
    id = http::sha256_hex(
             fmt::format("{} {} {}", state.connection_id, to_micros(now), ++state.mails))
             .substr(0, 40);
  }
  return fmt::format("{}@{}", *id, domain_of(state.from.address));
}

Result<http::Mail> make_mail(State& state, const SendOperation& operation, const Json& parameters,
                             std::string& message_id) {
  auto letter = make_letter(operation.settings, state.from, parameters);
  TRIBUTARY_TRY(letter);
  letter->date = state.context.clock.utc_now();
  letter->message_id = message_id = id_of(state, operation, parameters, letter->date);
  http::Mail mail = envelope(state);
  for (const auto* mailboxes : {&letter->to, &letter->cc, &letter->bcc}) {
    for (const Mailbox& mailbox : *mailboxes) mail.recipients.push_back(mailbox.address);
  }
  mail.message = write_letter(*letter);
  const auto most = static_cast<std::size_t>(state.settings.max_message_bytes);
  if (mail.message.size() > most) {
    return fail(
        ErrorClass::kFunction, "message_too_large",
        fmt::format("The mail has {} bytes; the connection allows {}.", mail.message.size(), most),
        "Attach less, or raise the connection's largest mail.", "/settings/attachments");
  }
  return mail;
}

Task<Result<Batch>> send(std::shared_ptr<State> state, const SendOperation& operation,
                         const Json& parameters, SteadyTime deadline) {
  if (state->channel->is_over()) co_return fail(over());
  std::string message_id;
  auto mail = make_mail(*state, operation, parameters, message_id);
  TRIBUTARY_CO_TRY(mail);
  const auto wait = state->throttle->take(state->connection_id, state->settings.max_per_minute,
                                          state->context.timers.now());
  if (wait) {
    Error error(ErrorClass::kBusy, "too_many_mails",
                fmt::format("{} mails were sent within a minute.", state->settings.max_per_minute),
                "It is sent when there is room; or raise the connection's most mails per minute.",
                "/settings/maxPerMinute");
    error.retry_after_ms = std::chrono::ceil<std::chrono::milliseconds>(*wait).count();
    co_return fail(std::move(error));
  }
  const std::size_t recipients = mail->recipients.size();
  const std::size_t bytes = mail->message.size();
  http::Watcher nobody;
  auto asking = exchange(state, *std::move(mail), deadline, std::move(nobody));
  const auto answer = co_await std::move(asking);
  TRIBUTARY_CO_TRY(answer);
  Record record = json_object();
  record.insert_or_assign("messageId", "<" + message_id + ">");
  record.insert_or_assign("recipients", recipients);
  record.insert_or_assign("bytes", bytes);
  record.insert_or_assign("reply", http::excerpt(answer->body));
  std::vector<Record> records;
  records.push_back(std::move(record));
  co_return Batch::of(std::move(records));
}

Task<void> hang_up(std::shared_ptr<State> state) {
  state->channel->abort();
  co_return;
}

class SmtpSession final : public sdk::Session {
 public:
  explicit SmtpSession(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~SmtpSession() override { abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return open_session(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override { return check(state_, deadline); }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return send(state_, dynamic_cast<const SendOperation&>(operation), parameters, deadline);
  }
  Task<void> close(SteadyTime) override { return hang_up(state_); }
  void abort() noexcept override { state_->channel->abort(); }

 private:
  std::shared_ptr<State> state_;
};

net::TlsOptions tls_options(const ConnectionSettings& settings, const sdk::Profile& profile) {
  const auto& tls = settings.tls;
  net::TlsOptions options;
  options.ca = tls.ca.value_or("");
  options.client_certificate = tls.client_certificate.value_or("");
  if (const Secret* key = profile.secret("clientKey")) options.client_key = *key;
  options.server_name = tls.server_name.value_or(settings.host);
  options.minimum = tls.minimum_version == ConnectionSettings::Tls::MinimumVersion::k1_3
                        ? net::TlsVersion::k1_3
                        : net::TlsVersion::k1_2;
  options.verify = tls.verify;
  options.trusted = profile.trusted_certificates;
  return options;
}

class SmtpConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile&, const sdk::FunctionSpec& function) const override {
    return prepare_operation(function);
  }

  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    auto state = std::make_shared<State>(context, ConnectionSettings::from_json(profile.settings),
                                         throttle_);
    const ConnectionSettings& settings = state->settings;
    auto from = parse_mailbox(settings.from, ErrorClass::kConfiguration, "/settings/from");
    TRIBUTARY_TRY(from);
    state->from = *std::move(from);
    if (settings.from_name) state->from.name = *settings.from_name;
    state->connection_id = profile.connection_id;
    http::ChannelOptions options;
    options.pointer = "/settings/host";
    options.keepalive = profile.keepalive;
    const Secret* password = profile.secret("password");
    if (password != nullptr && !settings.username) {
      return fail(ErrorClass::kConfiguration, "missing_username",
                  "A password without a user name cannot be sent.",
                  "Enter the user name, or remove the password.", "/settings/username");
    }
    options.username = settings.username.value_or("");
    if (password != nullptr) options.password = state->password = *password;
    if (settings.security != ConnectionSettings::Security::kNone) {
      options.tls = tls_options(settings, profile);
      TRIBUTARY_TRY(net::TlsClient::check(options.tls));
    }
    if (context.http == nullptr)
      return fail(ErrorClass::kInternal, "http_unavailable", "This hub was built without SMTP.");
    state->channel = context.http->open_channel(context.network, std::move(options));
    return std::make_unique<SmtpSession>(std::move(state));
  }

 private:
  std::shared_ptr<Throttle> throttle_ = std::make_shared<Throttle>();
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<SmtpConnector>();
}

}  // namespace tributary::connectors::smtp
