#include "connectors/opcua/src/session.hpp"

#include <fmt/format.h>
#include <open62541/nodeids.h>

#include "connectors/opcua/src/browsing.hpp"
#include "connectors/opcua/src/calling.hpp"
#include "connectors/opcua/src/conditions.hpp"
#include "connectors/opcua/src/endpoint.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/history.hpp"
#include "connectors/opcua/src/opening.hpp"
#include "connectors/opcua/src/publisher.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/writing.hpp"
#include "sdk/node_reader.hpp"

namespace tributary::connectors::opcua {
namespace {

void abort_state(State& state) noexcept {
  state.ended = true;
  state.dialling->cancel();
  if (std::exchange(state.open, false)) leave_behind(state);
  if (state.publisher) state.publisher->end();
  if (state.discovery) state.discovery->abort();
  if (state.client) state.client->abort();
}

Error ended() {
  return {ErrorClass::kCancelled, "cancelled", "The session is over"};
}

Task<Result<void>> check(Shared state, SteadyTime deadline) {
  if (state->ended || !state->open) co_return fail(ended());
  std::vector<Wanted> wanted;
  wanted.push_back(
      {UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_SERVERSTATUS_STATE), UA_ATTRIBUTEID_VALUE});
  const auto answers = co_await read_attributes(state, std::move(wanted), 0, deadline);
  if (!answers) {
    if (is_connection_error(answers.error().error_class) ||
        answers.error().error_class == ErrorClass::kCancelled)
      co_return fail(answers.error());
    co_return Result<void>{};  // it refuses, so it answers
  }
  const UA_Variant& value = answers->front()->value;
  const bool number = UA_Variant_isScalar(&value) && value.type != nullptr &&
                      value.type->memSize == sizeof(UA_Int32);
  const int now = number ? *static_cast<const UA_Int32*>(value.data) : UA_SERVERSTATE_RUNNING;
  if (now == UA_SERVERSTATE_SHUTDOWN || now == UA_SERVERSTATE_FAILED) {
    co_return fail(ErrorClass::kTransient, "server_not_running",
                   fmt::format("{} says that it {}", state->client->peer(),
                               now == UA_SERVERSTATE_SHUTDOWN ? "is shutting down" : "has failed"),
                   "Look at the server.");
  }
  co_return Result<void>{};
}

Task<Result<Batch>> call_operation(Shared state, const sdk::Operation& operation,
                                   const Json& parameters, SteadyTime deadline) {
  if (state->ended || !state->open) co_return fail(ended());
  if (const auto* read = dynamic_cast<const ReadOperation*>(&operation))
    co_return co_await read_nodes(state, *read, deadline);
  if (const auto* write = dynamic_cast<const WriteOperation*>(&operation))
    co_return co_await write_nodes(state, *write, parameters, deadline);
  if (const auto* browse = dynamic_cast<const BrowseOperation*>(&operation))
    co_return co_await browse_nodes(state, *browse, deadline);
  if (const auto* method = dynamic_cast<const CallOperation*>(&operation))
    co_return co_await call_method(state, *method, parameters, deadline);
  if (const auto* history = dynamic_cast<const HistoryOperation*>(&operation))
    co_return co_await read_history(state, *history, deadline);
  if (const auto* condition = dynamic_cast<const ConditionOperation*>(&operation))
    co_return co_await operate_condition(state, *condition, deadline);
  if (dynamic_cast<const EndpointsOperation*>(&operation) != nullptr)
    co_return Batch::of(std::vector<Record>(state->endpoints));
  co_return fail(ErrorClass::kFunction, "not_callable", "A subscription cannot be called");
}

Task<void> close_session(Shared state, SteadyTime deadline) {
  state->dialling->cancel();
  // A look at the server while the connection is down (a diagnosis) leaves to the connection's next
  // session what it has found.
  const bool found = !state->kept.feeds.empty() && state->publisher && state->publisher->idle();
  if (state->client && state->open && !state->ended && !found) {
    if (state->publisher) state->publisher->end();
    state->open = false;
    state->ended = true;
    co_await Client::close(state->client, deadline);
  }
  abort_state(*state);
}

class OpcuaSubscription final : public sdk::Subscription {
 public:
  OpcuaSubscription(Shared state, std::shared_ptr<Feed> feed)
      : state_(std::move(state)), feed_(std::move(feed)) {}
  ~OpcuaSubscription() override {
    if (state_->publisher) state_->publisher->drop(feed_);
  }
  Task<void> cancel(SteadyTime deadline) override {
    return Publisher::cancel(state_, feed_, deadline);
  }

 private:
  Shared state_;
  std::shared_ptr<Feed> feed_;
};

using Subscribed = Result<std::unique_ptr<sdk::Subscription>>;

// `operation` outlives the call.
Task<Subscribed> run_subscribe(Shared state, const sdk::Operation& operation, sdk::Sink& sink,
                               SteadyTime deadline) {
  if (state->ended || !state->open) co_return fail(ended());
  const auto* events = dynamic_cast<const EventsOperation*>(&operation);
  auto wanted = events != nullptr ? std::make_shared<Feed>(*events, sink)
                                  : std::make_shared<Feed>(
                                        dynamic_cast<const SubscribeOperation&>(operation), sink);
  const auto feed = co_await Publisher::subscribe(state, std::move(wanted), deadline);
  if (!feed) co_return fail(feed.error());
  co_return std::make_unique<OpcuaSubscription>(state, *feed);
}

Task<Result<sdk::BrowsePage>> run_browse(Shared state, std::string node, std::string cursor,
                                         SteadyTime deadline) {
  if (state->ended || !state->open) co_return fail(ended());
  co_return co_await browse_page(state, std::move(node), std::move(cursor), deadline);
}

Task<Result<Batch>> run_read(Shared state, std::vector<std::string> nodes, SteadyTime deadline) {
  if (state->ended || !state->open) co_return fail(ended());
  Nodes wanted;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto id = parse_node_id(nodes[i], fmt::format("/nodes/{}", i));
    if (!id) co_return fail(std::move(id.error()));
    wanted.ids.push_back(*std::move(id));
  }
  wanted.names = std::make_shared<const PointNames>(std::move(nodes));
  const ReadOperation operation(std::move(wanted), 0);
  co_return co_await read_nodes(state, operation, deadline);
}

class OpcuaSession final : public sdk::Session,
                           public sdk::Subscriber,
                           public sdk::Browser,
                           public sdk::NodeReader {
 public:
  explicit OpcuaSession(Shared state) : state_(std::move(state)) {}
  ~OpcuaSession() override { abort_state(*state_); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return open_session(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override { return check(state_, deadline); }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return call_operation(state_, operation, parameters, deadline);
  }
  Task<Subscribed> subscribe(const sdk::Operation& operation, sdk::Sink& sink,
                             SteadyTime deadline) override {
    return run_subscribe(state_, operation, sink, deadline);
  }
  Task<Result<sdk::BrowsePage>> browse(std::string_view node, std::string_view cursor,
                                       SteadyTime deadline) override {
    return run_browse(state_, std::string(node), std::string(cursor), deadline);
  }
  Task<Result<Batch>> read_nodes(std::vector<std::string> nodes, SteadyTime deadline) override {
    return run_read(state_, std::move(nodes), deadline);
  }
  Task<void> close(SteadyTime deadline) override { return close_session(state_, deadline); }
  void abort() noexcept override { abort_state(*state_); }

 private:
  Shared state_;
};

constexpr KeyNames kApplication{"application certificate", "/settings/applicationCertificate",
                                "/secrets/applicationKey"};
constexpr KeyNames kUser{"user certificate", "/settings/userCertificate", "/secrets/userKey"};

Result<Login> read_login(const ConnectionSettings& settings, const sdk::Profile& profile) {
  Login login;
  switch (settings.authentication) {
    case ConnectionSettings::Authentication::kUsername: {
      if (!settings.username) {
        return fail(ErrorClass::kConfiguration, "username_missing", "There is no user name",
                    "Enter one, or log in as somebody anonymous.", "/settings/username");
      }
      const Secret* password = profile.secret("password");
      login.username = *settings.username;
      login.password = password != nullptr ? *password : Secret();
      return login;
    }
    case ConnectionSettings::Authentication::kCertificate: {
      auto keys =
          read_keys(settings.user_certificate.value_or(""), profile.secret("userKey"), kUser);
      TRIBUTARY_TRY(keys);
      login.certificate = *std::move(keys);
      return login;
    }
    default:
      return login;
  }
}

}  // namespace

Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile,
                                                   std::shared_ptr<Keepsakes> keepsakes) {
  auto settings = ConnectionSettings::from_json(profile.settings);
  TRIBUTARY_TRY(parse_url(settings.endpoint_url));
  Material material;
  material.trusted = profile.trusted_certificates;
  if (settings.application_certificate) {
    auto keys = read_keys(*settings.application_certificate, profile.secret("applicationKey"),
                          kApplication);
    TRIBUTARY_TRY(keys);
    material.application = *std::move(keys);
  }
  auto login = read_login(settings, profile);
  TRIBUTARY_TRY(login);
  material.login = *std::move(login);
  const auto state =
      std::make_shared<State>(context, std::move(settings), std::move(material), profile.keepalive);
  state->keepsakes = std::move(keepsakes);
  state->connection_id = profile.connection_id;
  return std::make_unique<OpcuaSession>(state);
}

}  // namespace tributary::connectors::opcua
