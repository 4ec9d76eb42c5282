#include "connectors/rest/src/session.hpp"

#include <fmt/format.h>

#include "connectors/rest/src/answer.hpp"
#include "connectors/rest/src/operation.hpp"
#include "connectors/rest/src/outgoing.hpp"
#include "connectors/rest/src/paging.hpp"
#include "connectors/rest/src/url.hpp"
#include "sdk/channel_session.hpp"
#include "sdk/tls_settings.hpp"

namespace tributary::connectors::rest {
namespace {

using Authentication = ConnectionSettings::Authentication;

// Shared by the session and its running coroutines.
struct State final : sdk::ChannelState {
  State(const sdk::SessionContext& context_, ConnectionSettings settings_, Base base_)
      : ChannelState(context_), settings(std::move(settings_)), base(std::move(base_)) {}

  ConnectionSettings settings;
  Base base;
  http::Headers headers;  // of every request
};

Result<http::Request> to_request(const State& state, const Outgoing& outgoing,
                                 const std::string& url) {
  http::Request request;
  request.method = outgoing.method;
  request.url = url;
  request.headers = state.headers;
  // The connection's own headers may be replaced, its credentials may not: those are refused as
  // names.
  merge_headers(request.headers, outgoing.headers);
  request.body = outgoing.body;
  return request;
}

Task<Result<http::Answer>> exchange(std::shared_ptr<State> state, http::Request request,
                                    SteadyTime deadline, http::Watcher watcher) {
  auto sending = state->channel->send(std::move(request), deadline, std::move(watcher));
  auto answer = co_await std::move(sending);
  if (!answer) co_return fail(sdk::without_secrets(*state, std::move(answer.error())));
  co_return answer;
}

// One request of a function.
Task<Result<http::Answer>> ask(std::shared_ptr<State> state, const Outgoing& outgoing,
                               std::string url, std::span<const std::int64_t> accepted,
                               SteadyTime deadline) {
  auto request = to_request(*state, outgoing, url);
  TRIBUTARY_CO_TRY(request);
  http::Watcher nobody;
  auto asking = exchange(state, *std::move(request), deadline, std::move(nobody));
  auto answer = co_await std::move(asking);
  if (!answer) {
    if (outgoing.repeatable) answer.error().outcome_unknown = false;
    co_return fail(std::move(answer.error()));
  }
  auto checked = check_answer(*answer, accepted);
  if (!checked) co_return fail(sdk::without_secrets(*state, std::move(checked.error())));
  co_return answer;
}

Task<Result<Batch>> request(std::shared_ptr<State> state, const RequestOperation& operation,
                            Outgoing outgoing, SteadyTime deadline) {
  const RequestSettings& settings = operation.settings;
  Pager pager(state->base, settings.paging, outgoing,
              static_cast<std::size_t>(state->settings.max_answer_bytes));
  auto url = pager.first();
  while (true) {
    TRIBUTARY_CO_TRY(url);
    std::string next = *url;
    auto asking = ask(state, outgoing, std::move(next), settings.accept_statuses, deadline);
    auto answer = co_await std::move(asking);
    TRIBUTARY_CO_TRY(answer);
    if (settings.paging.mode == RequestSettings::Paging::Mode::kNone) {
      auto record = to_record(*answer, settings.answer_format);
      TRIBUTARY_CO_TRY(record);
      std::vector<Record> records;
      records.push_back(*std::move(record));
      co_return Batch::of(std::move(records));
    }
    auto more = pager.take(*answer);
    TRIBUTARY_CO_TRY(more);
    if (!*more) break;
    url = pager.next();
  }
  std::vector<Record> records;
  records.push_back(pager.record());
  co_return Batch::of(std::move(records));
}

Task<Result<Batch>> send(std::shared_ptr<State> state, const SendOperation& operation,
                         Outgoing outgoing, SteadyTime deadline) {
  auto query = encode_query(outgoing.query);
  TRIBUTARY_CO_TRY(query);
  auto url = make_url(state->base, outgoing.path, *query);
  TRIBUTARY_CO_TRY(url);
  auto asking = ask(state, outgoing, *std::move(url), operation.settings.accept_statuses, deadline);
  auto answer = co_await std::move(asking);
  TRIBUTARY_CO_TRY(answer);
  auto record = to_record(*answer, RequestSettings::AnswerFormat::kAuto);
  TRIBUTARY_CO_TRY(record);
  std::vector<Record> records;
  records.push_back(*std::move(record));
  co_return Batch::of(std::move(records));
}

Task<Result<Batch>> read(std::shared_ptr<State> state, const ReadOperation& operation,
                         Outgoing outgoing, SteadyTime deadline) {
  auto query = encode_query(outgoing.query);
  TRIBUTARY_CO_TRY(query);
  auto url = make_url(state->base, outgoing.path, *query);
  TRIBUTARY_CO_TRY(url);
  const std::span<const std::int64_t> none;
  auto asking = ask(state, outgoing, *std::move(url), none, deadline);
  auto answer = co_await std::move(asking);
  TRIBUTARY_CO_TRY(answer);
  const auto document = parse_body(*answer);
  TRIBUTARY_CO_TRY(document);
  co_return Batch::of(
      to_scan(*document, operation.values, operation.names, state->context.clock.utc_now()));
}

// What an answer says about the server's health.
Result<void> judge(const State& state, const http::Answer& answer) {
  const int status = answer.status;
  auto checked = check_answer(answer, {});
  if (checked) return {};
  Error error = std::move(checked.error());
  if (!state.settings.health_path) {
    // No path was named that must work: whoever answers is there. But a login that is refused is
    // refused.
    const bool login = state.settings.authentication != Authentication::kNone;
    const bool refused = status == 401 || status == 407;
    const bool failing =
        error.error_class == ErrorClass::kTransient || error.error_class == ErrorClass::kBusy;
    if (!failing && !(refused && login)) return {};
  } else if (error.error_class == ErrorClass::kFunction) {
    error.error_class = ErrorClass::kConfiguration;
    error.hint = "Enter a path that answers with 2xx, or leave the health path empty.";
    error.pointer = "/settings/healthPath";
  }
  return fail(sdk::without_secrets(state, std::move(error)));
}

Task<Result<http::Answer>> probe(std::shared_ptr<sdk::ChannelState> shared, SteadyTime deadline,
                                 http::Watcher watcher) {
  const auto state = std::static_pointer_cast<State>(std::move(shared));
  auto path = clean_path(state->settings.health_path.value_or(""), "/settings/healthPath");
  TRIBUTARY_CO_TRY(path);
  auto url = make_url(state->base, *path, "");
  TRIBUTARY_CO_TRY(url);
  Outgoing outgoing;
  outgoing.method = state->settings.health_path ? "GET" : "HEAD";
  auto request = to_request(*state, outgoing, *url);
  TRIBUTARY_CO_TRY(request);
  auto asking = exchange(state, *std::move(request), deadline, std::move(watcher));
  auto answer = co_await std::move(asking);
  TRIBUTARY_CO_TRY(answer);
  TRIBUTARY_CO_TRY(judge(*state, *answer));
  co_return answer;
}

constexpr sdk::ChannelKind kKind{.probe = &probe, .product = [](const http::Answer& answer) {
                                   return std::string(answer.header("server"));
                                 }};

Task<Result<Batch>> call_operation(std::shared_ptr<State> state, const sdk::Operation& operation,
                                   const Json& parameters, SteadyTime deadline) {
  if (const auto* wanted = dynamic_cast<const RequestOperation*>(&operation)) {
    auto outgoing = make_outgoing(wanted->settings, parameters);
    TRIBUTARY_CO_TRY(outgoing);
    auto asking = request(state, *wanted, *std::move(outgoing), deadline);
    co_return co_await std::move(asking);
  }
  if (const auto* wanted = dynamic_cast<const SendOperation*>(&operation)) {
    auto outgoing = make_outgoing(wanted->settings, parameters);
    TRIBUTARY_CO_TRY(outgoing);
    auto asking = send(state, *wanted, *std::move(outgoing), deadline);
    co_return co_await std::move(asking);
  }
  const auto& wanted = dynamic_cast<const ReadOperation&>(operation);
  auto outgoing = make_outgoing(wanted.path, wanted.query, wanted.headers, parameters);
  TRIBUTARY_CO_TRY(outgoing);
  auto asking = read(state, wanted, *std::move(outgoing), deadline);
  co_return co_await std::move(asking);
}

class RestSession final : public sdk::ChannelSession {
 public:
  explicit RestSession(std::shared_ptr<State> state)
      : ChannelSession(state, kKind), state_(std::move(state)) {}

  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return call_operation(state_, operation, parameters, deadline);
  }

 private:
  std::shared_ptr<State> state_;
};

std::unexpected<Error> missing(std::string_view what, std::string pointer) {
  return fail(ErrorClass::kConfiguration, "missing_credentials",
              fmt::format("The authentication needs {}.", what),
              "Enter it, or choose another authentication.", std::move(pointer));
}

// The login by curl, or the header that says who we are.
Result<void> add_login(State& state, const sdk::Profile& profile, http::ChannelOptions& options) {
  const Authentication kind = state.settings.authentication;
  const auto secret = [&](std::string_view name) {
    const Secret* found = profile.secret(name);
    if (found != nullptr && !found->empty()) state.secrets.push_back(*found);
    return found != nullptr && !found->empty() ? found : nullptr;
  };
  const auto add_header = [&](const std::string& name, std::string value) -> Result<void> {
    const bool clean = std::ranges::none_of(
        value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (!clean) {
      return fail(ErrorClass::kConfiguration, "invalid_header",
                  "The secret has a line break or another control character in it.",
                  "Enter it again, without the line break at its end.", "/secrets");
    }
    merge_headers(state.headers, {{name, std::move(value)}});
    return {};
  };
  if (kind == Authentication::kBasic || kind == Authentication::kDigest) {
    if (!state.settings.username) return missing("a user name", "/settings/username");
    const Secret* password = secret("password");
    options.login = kind == Authentication::kBasic ? http::Login::kBasic : http::Login::kDigest;
    options.username = *state.settings.username;
    if (password != nullptr) options.password = *password;
  }
  if (kind == Authentication::kBearer) {
    const Secret* token = secret("token");
    if (token == nullptr) return missing("a token", "/secrets/token");
    return add_header("Authorization", "Bearer " + std::string(token->reveal()));
  }
  if (kind == Authentication::kApiKey) {
    const Secret* key = secret("apiKey");
    if (key == nullptr) return missing("a key", "/secrets/apiKey");
    return add_header(state.settings.api_key_header, std::string(key->reveal()));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile) {
  ConnectionSettings settings = ConnectionSettings::from_json(profile.settings);
  auto base = parse_base(settings.base_url);
  TRIBUTARY_TRY(base);
  if (settings.health_path) {
    auto path = clean_path(*settings.health_path, "/settings/healthPath");
    if (!path) {
      path.error().error_class = ErrorClass::kConfiguration;
      return fail(std::move(path.error()));
    }
  }
  auto state = std::make_shared<State>(context, std::move(settings), *std::move(base));
  state->headers = {{"Accept", "application/json, text/*;q=0.8, */*;q=0.5"}};
  Json own = json_object();
  for (const auto& [name, value] : state->settings.headers) own.insert_or_assign(name, value);
  auto headers = read_headers(own, ErrorClass::kConfiguration, "/settings/headers");
  TRIBUTARY_TRY(headers);
  merge_headers(state->headers, *headers);
  http::ChannelOptions options;
  options.keepalive = profile.keepalive;
  options.max_answer_bytes = static_cast<std::size_t>(state->settings.max_answer_bytes);
  TRIBUTARY_TRY(add_login(*state, profile, options));
  if (state->base.target.secure) {
    options.tls = sdk::tls_options(state->settings.tls, state->base.target.host, profile);
    TRIBUTARY_TRY(net::TlsClient::check(options.tls));
  }
  TRIBUTARY_TRY(sdk::open_channel(*state, std::move(options)));
  return std::make_unique<RestSession>(std::move(state));
}

}  // namespace tributary::connectors::rest
