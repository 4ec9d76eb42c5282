// The connector and its sessions: a channel to the mail server, proven by a login and a NOOP.
#include "sdk/connector.hpp"

#include <fmt/format.h>

#include "connectors/smtp/resources.hpp"
#include "connectors/smtp/settings.hpp"
#include "connectors/smtp/src/letter.hpp"
#include "connectors/smtp/src/throttle.hpp"
#include "http/encoding.hpp"
#include "sdk/channel_session.hpp"
#include "sdk/tls_settings.hpp"

namespace tributary::connectors::smtp {
namespace {

// Shared by the session and its running coroutines.
struct State final : sdk::ChannelState {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_,
        std::shared_ptr<Throttle> throttle_)
      : ChannelState(context_), settings(std::move(settings_)), throttle(std::move(throttle_)) {}

  ConnectionSettings settings;
  std::shared_ptr<Throttle> throttle;
  std::string connection_id;
  Mailbox from;
  std::uint64_t mails = 0;
};

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

Task<Result<http::Answer>> exchange(std::shared_ptr<State> state, http::Mail mail,
                                    SteadyTime deadline, http::Watcher watcher) {
  auto sending = state->channel->send_mail(std::move(mail), deadline, std::move(watcher));
  auto answer = co_await std::move(sending);
  if (!answer) co_return fail(sdk::without_secrets(*state, std::move(answer.error())));
  co_return answer;
}

// A login and a NOOP. There is no mail that could be at fault.
Task<Result<http::Answer>> probe(std::shared_ptr<sdk::ChannelState> shared, SteadyTime deadline,
                                 http::Watcher watcher) {
  const auto state = std::static_pointer_cast<State>(std::move(shared));
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

constexpr sdk::ChannelKind kKind{
    .probe = &probe,
    .product = [](const http::Answer& answer) { return http::excerpt(answer.header("greeting")); },
    .asks_again = true};

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
  if (state->channel->is_over()) co_return fail(sdk::session_over());
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

class SmtpSession final : public sdk::ChannelSession {
 public:
  explicit SmtpSession(std::shared_ptr<State> state)
      : ChannelSession(state, kKind), state_(std::move(state)) {}

  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return send(state_, dynamic_cast<const SendOperation&>(operation), parameters, deadline);
  }

 private:
  std::shared_ptr<State> state_;
};

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
    if (password != nullptr) {
      options.password = *password;
      state->secrets.push_back(*password);
    }
    if (settings.security != ConnectionSettings::Security::kNone) {
      options.tls = sdk::tls_options(settings.tls, settings.host, profile);
      TRIBUTARY_TRY(net::TlsClient::check(options.tls));
    }
    TRIBUTARY_TRY(sdk::open_channel(*state, std::move(options)));
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
