#include "connectors/opcua/src/opening.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include "connectors/opcua/src/endpoint.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/publisher.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/trust.hpp"
#include "runtime/log.hpp"

namespace tributary::connectors::opcua {
namespace {

// Clocks that differ more are named; OPC UA's own checks (certificates, time
// stamps of requests) begin to fail somewhere beyond.
constexpr Duration kToleratedSkew = std::chrono::minutes{5};

// Logins that are cut off before an old session counts as lost.
constexpr int kMostTries = 2;

using Offered = Owned<UA_GetEndpointsResponse>;

std::span<const UA_EndpointDescription> list_of(const Offered& offered) {
  return {offered->endpoints, offered->endpointsSize};
}

ClientOptions client_options(const State& state) {
  ClientOptions options;
  options.url = state.settings.endpoint_url;
  options.session_timeout_ms = static_cast<std::uint32_t>(state.settings.session_timeout_ms);
  options.max_message_bytes = static_cast<std::uint32_t>(state.settings.max_message_bytes);
  options.application = state.material.application ? &*state.material.application : nullptr;
  return options;
}

std::string skew_text(Duration ahead) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::abs(ahead));
  return fmt::format("The server's clock is {} min {} the hub's.", minutes.count(),
                     ahead > Duration::zero() ? "ahead of" : "behind");
}

bool is_skewed(const State& state) {
  return state.clock_ahead && std::chrono::abs(*state.clock_ahead) > kToleratedSkew;
}

// Few failures are as misleading as those of a wrong clock.
Error name_skew(const State& state, Error error) {
  if (!is_skewed(state) || error.error_class == ErrorClass::kCancelled) return error;
  error.message += ". " + skew_text(*state.clock_ahead);
  error.hint += (error.hint.empty() ? "" : " ") + std::string("Set the clocks first.");
  return error;
}

Error name_thumbprint(const State& state, Error error) {
  if (error.code == "own_certificate_refused" && state.material.application) {
    error.message += fmt::format(
        ": it refuses the hub's application certificate, {} (thumbprint {})",
        state.material.application->application_uri, state.material.application->thumbprint);
  }
  return error;
}

Task<Result<std::unique_ptr<net::Stream>>> dial(Shared state, SteadyTime deadline,
                                                net::StageObserver& stages) {
  const auto endpoint = parse_url(state->settings.endpoint_url);
  if (!endpoint) co_return fail(endpoint.error());
  auto stream = co_await state->context.network.dial_cancellable(*endpoint, state->keepalive,
                                                                 deadline, stages, state->dialling);
  if (stream) co_return stream;
  Error error = std::move(stream.error());
  if (!error.pointer.empty()) error.pointer = "/settings/endpointUrl";
  co_return fail(std::move(error));
}

// What the server offers, asked over a connection of its own that shows nothing
// of the profile.
Task<Result<Offered>> discover(Shared state, SteadyTime deadline, net::StageObserver& stages) {
  auto stream = co_await dial(state, deadline, stages);
  if (!stream) co_return fail(std::move(stream.error()));
  if (state->ended) co_return fail(cancelled());
  stages.begin("protocol");
  auto options = client_options(*state);
  options.application = nullptr;
  auto client = Client::make(state->context, options);
  if (!client) co_return fail(std::move(client.error()));
  state->discovery = *client;
  auto connected = co_await Client::connect(state->discovery, std::move(*stream), deadline);
  if (!connected) co_return fail(std::move(connected.error()));
  Owned<UA_GetEndpointsRequest> request;
  request->endpointUrl = copy_of(state->settings.endpoint_url);
  const std::string_view what = "the question for its endpoints";
  auto offered = co_await Client::ask<UA_GetEndpointsResponse>(state->discovery, std::move(request),
                                                               what, deadline);
  if (offered && (*offered)->responseHeader.timestamp != 0) {
    state->clock_ahead =
        to_utc((*offered)->responseHeader.timestamp) - state->context.clock.utc_now();
  }
  co_await Client::close(std::exchange(state->discovery, nullptr), deadline);
  co_return offered;
}

// Nothing of the profile leaves before this is done.
Result<std::string> accept_certificate(State& state, const UA_EndpointDescription& endpoint) {
  TrustOptions options;
  options.ca = state.settings.ca.value_or("");
  options.trusted = state.material.trusted;
  options.application_uri = view(endpoint.server.applicationUri);
  if (state.settings.check_host) {
    const auto address = parse_url(state.settings.endpoint_url);
    TRIBUTARY_TRY(address);
    options.host = address->host;
  }
  auto shown = judge(view(endpoint.serverCertificate), options, state.context.clock.utc_now());
  if (!shown.certificate.sha256.empty()) state.context.events.certificate_shown(shown);
  if (!shown.accepted) return fail(std::move(shown.refusal));
  return shown.certificate.sha256;
}

std::size_t limit_of(const UA_DataValue& value) {
  if (!UA_Variant_hasScalarType(&value.value, &UA_TYPES[UA_TYPES_UINT32])) return kMostPerRequest;
  const std::size_t limit = *static_cast<const UA_UInt32*>(value.value.data);
  return limit == 0 ? kMostPerRequest : std::min(limit, kMostPerRequest);
}

// Reads what every later request has to respect.
Task<Result<sdk::PeerIdentity>> learn(Shared state, SteadyTime deadline) {
  const auto named = co_await read_namespaces(state, deadline);
  if (!named) co_return fail(named.error());
  std::vector<Wanted> wanted;
  for (const std::uint32_t id :
       {UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERREAD,
        UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERWRITE,
        UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERBROWSE,
        UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXMONITOREDITEMSPERCALL,
        UA_NS0ID_SERVER_SERVERCAPABILITIES_OPERATIONLIMITS_MAXNODESPERHISTORYREADDATA,
        UA_NS0ID_SERVER_SERVERSTATUS_BUILDINFO}) {
    wanted.push_back({UA_NODEID_NUMERIC(0, id), UA_ATTRIBUTEID_VALUE});
  }
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) co_return fail(answers.error());
  state->limits.read = limit_of(*(*answers)[0]);
  state->limits.write = limit_of(*(*answers)[1]);
  state->limits.browse = limit_of(*(*answers)[2]);
  state->limits.items = limit_of(*(*answers)[3]);
  state->limits.history = limit_of(*(*answers)[4]);
  sdk::PeerIdentity identity;
  identity.product = "OPC UA server";
  identity.address = state->client->peer();
  const UA_Variant& build = (*answers)[5]->value;
  if (UA_Variant_hasScalarType(&build, &UA_TYPES[UA_TYPES_BUILDINFO])) {
    const auto& info = *static_cast<const UA_BuildInfo*>(build.data);
    identity.vendor = view(info.manufacturerName);
    if (info.productName.length > 0) identity.product = view(info.productName);
    identity.version = view(info.softwareVersion);
  }
  co_return identity;
}

struct Way {
  ClientOptions options;
  std::span<const UA_EndpointDescription> offered;
};

// The real connection, its channel and the session. `way` outlives the call.
Task<Result<void>> log_in(Shared state, const Way& way, net::StageObserver& stages,
                          SteadyTime deadline) {
  net::StageObserver unobserved;
  auto stream = co_await dial(state, deadline, unobserved);
  if (!stream) co_return fail(std::move(stream.error()));
  if (state->ended) co_return fail(cancelled());
  auto client = Client::make(state->context, way.options);
  if (!client) co_return fail(std::move(client.error()));
  state->client = *client;
  auto connected = co_await Client::connect(state->client, std::move(*stream), deadline);
  if (!connected) co_return fail(std::move(connected.error()));
  stages.begin("login");
  ++state->kept.tries;
  co_return co_await Client::log_in(state->client, way.offered, state->kept.ticket, deadline);
}

// With the session of before, where there is one that the server still has; else with a new one,
// over a connection of its own: some servers hold a refused session against the one that it came
// by.
Task<Result<void>> resume_or_log_in(Shared state, const Way& way, net::StageObserver& stages,
                                    SteadyTime deadline) {
  const int before = state->kept.tries;
  auto done = co_await log_in(state, way, stages, deadline);
  if (!state->kept.ticket || state->kept.tries == before) co_return done;
  if (done) {
    state->kept.ticket.reset();
    co_return done;
  }
  const Error& error = done.error();
  const bool cut_off = error.code == "timeout" || error.code == "connection_closed";
  if (cut_off && state->kept.tries < kMostTries) co_return done;
  state->kept.ticket.reset();
  if (cut_off || state->ended) co_return done;
  state->client->abort();
  net::StageObserver unobserved;
  co_return co_await log_in(state, way, unobserved, deadline);
}

Task<Result<sdk::PeerIdentity>> open_steps(Shared state, SteadyTime deadline,
                                           net::StageObserver& stages) {
  auto offered = co_await discover(state, deadline, stages);
  if (state->ended) co_return fail(cancelled());
  if (!offered) co_return fail(std::move(offered.error()));
  const auto choice = choose_endpoint(list_of(*offered), state->settings);
  if (!choice) co_return fail(choice.error());
  state->endpoints = describe_endpoints(list_of(*offered), *choice);
  Way way{client_options(*state), list_of(*offered)};
  std::string fingerprint;
  stages.begin("tls");
  if (choice->needs_certificate) {
    if (!state->material.application) {
      co_return fail(
          ErrorClass::kConfiguration, "key_missing", "There is no application certificate to show",
          "Enter one with its key; a running hub has its own.", "/settings/applicationCertificate");
    }
    auto accepted = accept_certificate(*state, *choice->endpoint);
    if (!accepted) co_return fail(std::move(accepted.error()));
    fingerprint = *accepted;
  }
  way.options.endpoint = choice->endpoint;
  way.options.token = choice->token;
  way.options.login = state->material.login;
  auto logged_in = co_await resume_or_log_in(state, way, stages, deadline);
  if (!logged_in) co_return fail(std::move(logged_in.error()));
  auto identity = co_await learn(state, deadline);
  if (!identity) co_return fail(std::move(identity.error()));
  identity->certificate_sha256 = fingerprint;
  co_return identity;
}

}  // namespace

void leave_behind(State& state) {
  if (!state.keepsakes || state.connection_id.empty()) return;
  Keepsake left = std::exchange(state.kept, Keepsake{});
  if (state.publisher) {
    auto feeds = state.publisher->leave();
    std::ranges::move(feeds, std::back_inserter(left.feeds));
  }
  if (auto ticket = state.client ? state.client->give_ticket() : std::nullopt) {
    left.ticket = std::move(ticket);
    left.tries = 0;
  }
  if (!left.ticket && left.feeds.empty()) return;
  left.settings = state.settings;
  left.left = state.context.timers.now();
  state.keepsakes->leave(state.connection_id, std::move(left));
}

Task<Result<sdk::PeerIdentity>> open_session(Shared state, SteadyTime deadline,
                                             net::StageObserver& stages) {
  if (state->ended) co_return fail(cancelled());
  if (state->keepsakes) {
    auto kept =
        state->keepsakes->take(state->connection_id, state->settings, state->context.timers.now());
    if (kept) state->kept = *std::move(kept);
  }
  auto identity = co_await open_steps(state, deadline, stages);
  if (state->ended) co_return fail(cancelled());
  if (!identity) {
    if (state->discovery) std::exchange(state->discovery, nullptr)->abort();
    if (state->client) state->client->abort();
    state->ended = true;
    leave_behind(*state);
    // What is refused on the way in is not about one call.
    if (identity.error().error_class == ErrorClass::kFunction)
      identity.error().error_class = ErrorClass::kTransient;
    co_return fail(name_skew(*state, name_thumbprint(*state, std::move(identity.error()))));
  }
  if (is_skewed(*state)) {
    log::warning("opcua", skew_text(*state->clock_ahead),
                 {{"endpoint", state->settings.endpoint_url}});
  }
  state->publisher = std::make_shared<Publisher>(state);
  state->open = true;
  state->opened = state->context.timers.now();
  const std::weak_ptr<State> weak = state;
  state->client->on_lost = [weak](Error error) {
    const auto shared = weak.lock();
    if (!shared || shared->ended) return;
    shared->context.events.lost(std::move(error));
  };
  if (!state->client->is_open()) {
    leave_behind(*state);
    state->client->abort();
    state->ended = true;
    co_return fail(ErrorClass::kTransient, "connection_closed",
                   "The server ended the connection right after the login");
  }
  co_return identity;
}

}  // namespace tributary::connectors::opcua
