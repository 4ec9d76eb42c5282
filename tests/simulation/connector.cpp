#include "tests/simulation/connector.hpp"

#include <charconv>

#include "runtime/event.hpp"
#include "tests/simulation/network.hpp"

namespace tributary::simulation {

namespace {

constexpr std::string_view kManifest = R"({
  "type": "simulated", "title": "Simulated", "category": "Test", "family": "fieldDevice",
  "summary": "A peer of the simulation.", "capabilities": ["read", "write", "subscribe"],
  "library": "none", "licence": "Apache-2.0", "maxConcurrentCalls": 2})";
constexpr std::string_view kConnectionSchema = R"({
  "type": "object", "required": ["host"], "properties": {
    "host": {"type": "string", "minLength": 1, "title": "Host"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 7000, "title": "Port"},
    "note": {"type": "string", "title": "Note"},
    "connectTimeoutMs": {"type": "integer", "minimum": 100, "maximum": 60000, "title": "Connect time-out"},
    "requestTimeoutMs": {"type": "integer", "minimum": 100, "maximum": 60000, "title": "Request time-out"},
    "password": {"type": "string", "x-secret": true, "title": "Password"}}})";
constexpr std::string_view kReadSchema = R"({
  "type": "object", "x-function": "simulated.read", "x-kind": "read", "title": "Read",
  "description": "Reads the clock of the peer.", "properties": {
    "address": {"type": "string", "default": "clock", "title": "Address"}}})";
constexpr std::string_view kWriteSchema = R"({
  "type": "object", "x-function": "simulated.write", "x-kind": "write", "title": "Write",
  "description": "Leaves a token with the peer.", "required": ["token"], "properties": {
    "token": {"type": "string", "title": "Token"}}})";
constexpr std::string_view kPollSchema = R"({
  "type": "object", "x-function": "simulated.poll", "x-kind": "subscribe", "x-polled": true,
  "title": "Poll", "description": "Polls the clock of the peer.", "properties": {
    "address": {"type": "string", "default": "clock", "title": "Address"},
    "intervalMs": {"type": "integer", "minimum": 10, "default": 1000, "title": "Interval"},
    "reportOn": {"type": "string", "enum": ["change", "always"], "default": "change", "title": "Report"},
    "deadband": {"type": "number", "minimum": 0, "default": 0, "title": "Deadband"}}})";
constexpr std::string_view kListenSchema = R"({
  "type": "object", "x-function": "simulated.listen", "x-kind": "subscribe", "title": "Listen",
  "description": "The peer sends its clock.", "properties": {
    "topic": {"type": "string", "default": "clock", "title": "Topic"}}})";

std::unexpected<Error> cancelled() {
  return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
}

struct SimulatedOperation final : sdk::Operation {
  std::string type;
  std::string argument;
  std::shared_ptr<const PointNames> names;
  std::shared_ptr<const PointNames> points() const override { return names; }
};

// "1234 7": the peer's clock and the number of the session.
Result<Batch> parse_value(std::string_view text, const std::shared_ptr<const PointNames>& names,
                          UtcTime at) {
  const auto space = text.find(' ');
  std::int64_t clock = 0;
  std::int64_t session = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, clock);
  if (space != std::string_view::npos) std::from_chars(text.data() + space + 1, end, session);
  if (first.ec != std::errc() || session == 0)
    return fail(ErrorClass::kTransient, "garbled", "The peer sent something else.");
  Scan scan{names, at, {}};
  scan.samples.push_back({0, kGood, Value(clock), std::nullopt, nullptr});
  scan.samples.push_back({1, kGood, Value(session), std::nullopt, nullptr});
  return Batch::of(std::move(scan));
}

Error refusal_of(std::string_view line) {
  if (line.starts_with("BUSY ")) {
    Error busy(ErrorClass::kBusy, "busy", "The peer is busy.");
    busy.retry_after_ms = std::stoll(std::string(line.substr(5)));
    return busy;
  }
  if (line == "STANDBY")
    return {ErrorClass::kStandby, "standby", "The peer is not the active one."};
  if (line == "TRUST") return {ErrorClass::kTrust, "untrusted", "The certificate will not do."};
  if (line == "CONFIG")
    return {ErrorClass::kConfiguration, "no_such_database", "No such database."};
  if (line == "DENIED") return {ErrorClass::kIdentity, "wrong_password", "Wrong password."};
  return {ErrorClass::kTransient, "garbled", "The peer answered something else."};
}

// What outlives the session while its reader ends.
struct Core : std::enable_shared_from_this<Core> {
  struct Reply {
    explicit Reply(Executor executor) : came(executor) {}
    Event came;
    std::optional<std::string> line;
  };
  struct Topic {
    sdk::Sink* sink = nullptr;
    std::shared_ptr<const PointNames> names;
  };

  Core(const sdk::SessionContext& context_) : context(context_), executor(context_.executor) {}

  sdk::SessionContext context;
  Executor executor;
  bool ended = false;
  std::unique_ptr<net::Stream> stream;
  std::shared_ptr<net::DialCancel> cancel = std::make_shared<net::DialCancel>();
  std::string buffer;
  std::uint64_t last_number = 0;
  std::map<std::uint64_t, std::shared_ptr<Reply>> replies;
  std::map<std::string, Topic> topics;

  void end() noexcept {
    if (std::exchange(ended, true)) return;
    cancel->cancel();
    if (stream) stream->abort();
    for (const auto& [number, reply] : replies) reply->came.set();
  }

  Task<Result<std::string>> read_line(SteadyTime deadline) {
    const auto self = shared_from_this();
    while (true) {
      if (const auto end_of_line = buffer.find('\n'); end_of_line != std::string::npos) {
        std::string line = buffer.substr(0, end_of_line);
        buffer.erase(0, end_of_line + 1);
        co_return line;
      }
      std::array<std::byte, 256> bytes{};
      const std::span<std::byte> into(bytes);
      Result<std::size_t> count = co_await stream->read_some(into, deadline);
      if (!count) co_return fail(std::move(count.error()));
      buffer.append(reinterpret_cast<const char*>(bytes.data()), *count);
    }
  }

  Task<Result<void>> send(std::string text, SteadyTime deadline) {
    const auto self = shared_from_this();
    if (ended) co_return cancelled();
    const auto bytes = std::as_bytes(std::span(text));
    co_return co_await stream->write_all(bytes, deadline);
  }

  Task<Result<std::string>> request(std::string text, SteadyTime deadline) {
    const auto self = shared_from_this();
    const std::uint64_t number = ++last_number;
    auto reply = std::make_shared<Reply>(executor);
    replies[number] = reply;
    std::string line = fmt::format("{} {}\n", number, text);
    Result<void> sent = co_await send(std::move(line), deadline);
    if (!sent) {
      replies.erase(number);
      co_return fail(std::move(sent.error()));
    }
    const bool came = co_await reply->came.wait_until(context.timers, deadline);
    replies.erase(number);
    if (ended && !reply->line) co_return cancelled();
    if (!came || !reply->line)
      co_return fail(ErrorClass::kTransient, "timeout", "The peer did not answer in time.");
    co_return *reply->line;
  }

  // Until the stream ends.
  Task<void> listen() {
    const auto self = shared_from_this();
    while (!ended) {
      Result<std::string> line = co_await read_line(SteadyTime::max());
      if (ended) co_return;
      if (!line) {
        context.events.lost(std::move(line.error()));
        co_return;
      }
      if (*line == "TAKEOVER") {
        context.events.lost(Error(ErrorClass::kTakeover, "taken_over", "Another client came."));
        co_return;
      }
      if (line->starts_with("DATA ")) {
        co_await deliver(line->substr(5));
      } else {
        take_reply(*line);
      }
    }
  }

  void take_reply(const std::string& line) {
    const auto space = line.find(' ');
    if (space == std::string::npos) return;
    const auto found = replies.find(std::stoull(line.substr(0, space)));
    if (found == replies.end()) return;  // too late
    found->second->line = line.substr(space + 1);
    found->second->came.set();
  }

  Task<void> deliver(std::string text) {
    const auto space = text.find(' ');
    const auto found = topics.find(text.substr(0, space));
    if (space == std::string::npos || found == topics.end()) co_return;
    auto batch = parse_value(std::string_view(text).substr(space + 1), found->second.names,
                             context.clock.utc_now());
    if (!batch) co_return;
    auto* sink = found->second.sink;
    const std::string topic = found->first;
    Batch values = *std::move(batch);
    Result<void> accepted = co_await sink->deliver(std::move(values));
    if (!accepted && accepted.error().error_class == ErrorClass::kCancelled) topics.erase(topic);
  }
};

class SimulatedSubscription final : public sdk::Subscription {
 public:
  SimulatedSubscription(std::shared_ptr<Core> core, std::string topic)
      : core_(std::move(core)), topic_(std::move(topic)) {}
  ~SimulatedSubscription() override { core_->topics.erase(topic_); }

  Task<void> cancel(SteadyTime deadline) override {
    const auto core = core_;
    if (core->topics.erase(topic_) == 0 || core->ended) co_return;
    std::string text = "UNSUB " + topic_;
    co_await core->request(std::move(text), deadline);
  }

 private:
  std::shared_ptr<Core> core_;
  std::string topic_;
};

class SimulatedSession final : public sdk::Session, public sdk::Subscriber {
 public:
  SimulatedSession(const sdk::SessionContext& context, const sdk::Profile& profile)
      : core_(std::make_shared<Core>(context)) {
    endpoint_.host = Network::host_for(profile.connection_id, get_string(profile.settings, "host"));
    endpoint_.port = 7000;
    const Secret* password = profile.secret("password");
    if (password) password_ = std::string(password->reveal());
  }
  ~SimulatedSession() override { core_->end(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    const auto core = core_;
    net::Endpoint endpoint = endpoint_;
    const net::Keepalive keepalive;
    Result<std::unique_ptr<net::Stream>> stream = co_await core->context.network.dial_cancellable(
        std::move(endpoint), keepalive, deadline, stages, core->cancel);
    if (!stream) co_return fail(std::move(stream.error()));
    core->stream = *std::move(stream);
    if (core->ended) {
      core->stream->abort();
      co_return cancelled();
    }
    Result<void> greeted = co_await greet(core, password_, deadline, stages);
    if (!greeted) {
      core->stream->abort();
      co_return fail(std::move(greeted.error()));
    }
    spawn(core->executor, [](std::shared_ptr<Core> listening) -> Task<void> {
      co_await listening->listen();
    }(core));
    sdk::PeerIdentity identity;
    identity.product = "Simulated";
    identity.address = core->stream->peer();
    co_return identity;
  }

  Task<Result<void>> check_health(SteadyTime deadline) override {
    std::string text = "PING";
    Result<std::string> answer = co_await core_->request(std::move(text), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    co_return Result<void>{};
  }

  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& /*parameters*/,
                           SteadyTime deadline) override {
    const auto core = core_;
    const auto& simulated = static_cast<const SimulatedOperation&>(operation);
    const bool writes = simulated.type == "simulated.write";
    const auto names = simulated.names;
    std::string text = fmt::format("{} {}", writes ? "WRITE" : "READ", simulated.argument);
    Result<std::string> answer = co_await core->request(std::move(text), deadline);
    if (!answer) {
      // The request may have reached the peer: the connector cannot know.
      Error error = std::move(answer.error());
      error.outcome_unknown = writes && error.error_class != ErrorClass::kCancelled;
      co_return fail(std::move(error));
    }
    if (*answer == "NAK") co_return fail(ErrorClass::kFunction, "no_such_address", "No address.");
    if (writes) co_return Batch::of(std::vector<Record>{});
    co_return parse_value(std::string_view(*answer).substr(2), names,
                          core->context.clock.utc_now());
  }

  Task<void> close(SteadyTime deadline) override {
    const auto core = core_;
    if (core->ended) co_return;
    std::string text = "BYE\n";
    co_await core->send(std::move(text), deadline);
    if (core->stream && !core->ended) core->stream->close();
  }
  void abort() noexcept override { core_->end(); }

  Task<Result<std::unique_ptr<sdk::Subscription>>> subscribe(const sdk::Operation& operation,
                                                             sdk::Sink& sink,
                                                             SteadyTime deadline) override {
    const auto core = core_;
    const auto& simulated = static_cast<const SimulatedOperation&>(operation);
    const std::string topic = simulated.argument;
    core->topics[topic] = {&sink, simulated.names};
    std::string text = "SUB " + topic;
    Result<std::string> answer = co_await core->request(std::move(text), deadline);
    if (!answer || *answer == "NAK") {
      core->topics.erase(topic);
      if (!answer) co_return fail(std::move(answer.error()));
      co_return fail(ErrorClass::kFunction, "no_such_topic", "There is no such topic.");
    }
    std::unique_ptr<sdk::Subscription> made = std::make_unique<SimulatedSubscription>(core, topic);
    co_return made;
  }

 private:
  static Task<Result<void>> greet(std::shared_ptr<Core> core, std::string password,
                                  SteadyTime deadline, net::StageObserver& stages) {
    stages.begin("protocol");
    std::string hello = "HELLO\n";
    Result<void> sent = co_await core->send(std::move(hello), deadline);
    if (!sent) co_return sent;
    Result<std::string> hi = co_await core->read_line(deadline);
    if (!hi) co_return fail(std::move(hi.error()));
    if (*hi != "HI") co_return fail(refusal_of(*hi));
    stages.begin("login");
    std::string login = fmt::format("LOGIN {}\n", password);
    sent = co_await core->send(std::move(login), deadline);
    if (!sent) co_return sent;
    Result<std::string> ok = co_await core->read_line(deadline);
    if (!ok) co_return fail(std::move(ok.error()));
    if (*ok == "TAKEOVER") co_return fail(ErrorClass::kTakeover, "taken_over", "Another came.");
    if (*ok != "OK") co_return fail(refusal_of(*ok));
    co_return Result<void>{};
  }

  std::shared_ptr<Core> core_;
  net::Endpoint endpoint_;
  std::string password_;
};

class SimulatedConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile&, const sdk::FunctionSpec& function) const override {
    auto operation = std::make_shared<SimulatedOperation>();
    operation->type = function.type;
    for (const auto* name : {"address", "token", "topic"}) {
      if (auto text = get_string(function.settings, name); !text.empty())
        operation->argument = std::move(text);
    }
    operation->names = names_;
    return operation;
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return std::make_unique<SimulatedSession>(context, profile);
  }

 private:
  std::shared_ptr<const PointNames> names_ =
      std::make_shared<const PointNames>(PointNames{"clock", "session"});
};

}  // namespace

Result<void> add_simulated(sdk::Registry& registry) {
  const sdk::Resources resources{kManifest,
                                 kConnectionSchema,
                                 {kReadSchema, kWriteSchema, kPollSchema, kListenSchema},
                                 "# Simulated"};
  return registry.add(resources, std::make_unique<SimulatedConnector>());
}

}  // namespace tributary::simulation
