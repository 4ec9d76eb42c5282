#include "api/stream_hub.hpp"

#include "api/views.hpp"

namespace tributary::api {
namespace {

constexpr std::size_t kMaxClients = 1000;
constexpr std::size_t kRunsInSnapshot = 20;
constexpr auto kTick = std::chrono::seconds{1};
// A look at the catalogue compares all of it: thousands of edits in a row share a few.
constexpr auto kCatalogueEvery = std::chrono::milliseconds{100};
constexpr auto kKeepAlive = std::chrono::seconds{15};
// What a client may ask: more is not a person with a browser.
constexpr double kMessagesPerSecond = 50;
constexpr double kMessageBurst = 200;

Json connection_item(const connect::ConnectionView& connection) {
  Json json = json_object();
  json["id"] = connection.row.id;
  json["name"] = connection.row.name;
  json["type"] = connection.row.type;
  json["state"] = connect::to_json(connection.state);
  return json;
}

Json removed_item(const std::string& id) {
  Json json = json_object();
  json["id"] = id;
  json["removed"] = true;
  return json;
}

Json pipeline_item(const orchestrate::PipelineView& pipeline) {
  Json json = json_object();
  json["id"] = pipeline.row.id;
  json["name"] = pipeline.row.name;
  json["enabled"] = pipeline.row.enabled;
  json["version"] = pipeline.row.version;
  json["state"] = pipeline_state(pipeline);
  return json;
}

auto of_kind(Topic::Kind kind) {
  return [kind](const Topic& topic) { return topic.kind == kind; };
}

// A bucket that fills by time: how many messages a client may send.
class Allowance {
 public:
  explicit Allowance(SteadyTime now) : last_(now) {}
  bool take(SteadyTime now) {
    level_ = std::min(kMessageBurst, level_ + to_seconds(now - last_) * kMessagesPerSecond);
    last_ = now;
    if (level_ < 1) return false;
    level_ -= 1;
    return true;
  }

 private:
  double level_ = kMessageBurst;
  SteadyTime last_;
};

}  // namespace

StreamHub::StreamHub(Runtime& runtime, auth::Auth& auth, connect::Manager& manager,
                     orchestrate::Engine& engine, Metrics& metrics)
    : runtime_(runtime), auth_(auth), manager_(manager), engine_(engine), metrics_(metrics) {}

StreamHub::~StreamHub() = default;

void StreamHub::start() {
  states_ = manager_.watch_states([this](const connect::StateChange& change) { on_state(change); });
  catalogue_ = manager_.watch_catalogue([this] { on_catalogue_changed(); });
  runs_ = engine_.watch_runs([this](const orchestrate::RunEvent& event) { on_run(event); });
  alarms_ = manager_.alarms().watch([this](const connect::AlarmRow& alarm) { on_alarm(alarm); });
  tick();
}

void StreamHub::stop() {
  states_.reset();
  catalogue_.reset();
  runs_.reset();
  alarms_.reset();
  feeds_.clear();
  timer_.reset();
  catalogue_timer_.reset();
  for (auto& [client, channel] : channels_) channel->close(kGoingAway, "The hub stops.");
}

std::expected<void, Problem> StreamHub::check(const std::optional<Topic>& topic) const {
  if (clients_.size() >= kMaxClients) {
    Problem problem(503, "too_many_clients", "Too many clients listen to live events.",
                    "Try again later.");
    problem.retry_after_ms = 10'000;
    return refuse(std::move(problem));
  }
  if (!topic) return {};
  if (topic->kind == Topic::Kind::kValues) {
    auto function = manager_.function(topic->function_id);
    if (!function) return refuse(Problem(404, "not_found", "There is no function with this id."));
    if (kind_of(manager_.registry(), function->row.type) != sdk::FunctionKind::kSubscribe) {
      return refuse(Problem(409, "not_a_subscription",
                            "Only functions of the kind subscribe have live values."));
    }
  }
  if (topic->kind == Topic::Kind::kRuns && !topic->pipeline_id.empty() &&
      !engine_.pipeline(topic->pipeline_id)) {
    return refuse(Problem(404, "not_found", "There is no pipeline with this id."));
  }
  return {};
}

Task<void> StreamHub::serve(EventChannel& channel, Via via, std::string credential,
                            std::optional<Topic> only) {
  auto client = std::make_shared<StreamClient>(runtime_.control(), via, std::move(credential));
  clients_.insert(client);
  channels_[client.get()] = &channel;
  metrics_.set_stream_clients(clients_.size());
  if (only) subscribe(*client, 1, std::move(*only));

  auto done = std::make_shared<Event>(runtime_.control());
  spawn(runtime_.control(), write_loop(client, channel, done));
  Allowance allowance(runtime_.timers().now());
  while (!client->closed()) {
    std::optional<std::string> text = co_await channel.receive();
    if (!text) break;
    if (!allowance.take(runtime_.timers().now())) {
      channel.close(kPolicyViolation, "Too many messages.");
      break;
    }
    handle_message(*client, *text);
  }
  client->close();
  // Lets a write that hangs on a client that is gone end.
  channel.close(kGoingAway, "");
  co_await done->wait();
  channels_.erase(client.get());
  clients_.erase(client);
  metrics_.set_stream_clients(clients_.size());
  update_feeds();
}

Task<void> StreamHub::write_loop(std::shared_ptr<StreamClient> client, EventChannel& channel,
                                 std::shared_ptr<Event> done) {
  bool alive = true;
  while (alive && !client->closed()) alive = co_await write_next(*client, channel);
  if (!client->closed()) {
    client->close();
    channel.close(kGoingAway, "");
  }
  done->set();
}

Task<bool> StreamHub::write_next(StreamClient& client, EventChannel& channel) {
  const SteadyTime now = runtime_.timers().now();
  auto next = client.next(now);
  if (!next) {
    const SteadyTime deadline = now + kKeepAlive;
    co_await client.wait(runtime_.timers(),
                         std::min(deadline, client.next_due().value_or(deadline)));
    if (runtime_.timers().now() < deadline || client.closed()) co_return true;
    co_return co_await channel.keep_alive();
  }
  StreamClient::Outgoing outgoing;
  if (next->index() == 0) {
    outgoing = std::move(std::get<0>(*next));
  } else {
    const StreamClient::SnapshotNeeded needed = std::get<1>(*next);
    Json data = co_await make_snapshot(needed.topic);
    if (!client.has(needed.id)) co_return true;
    outgoing = client.put_snapshot(needed.id, std::move(data));
  }
  co_return co_await channel.send(std::move(outgoing.text), outgoing.type);
}

Task<Json> StreamHub::make_snapshot(Topic topic) {
  Json list = json_array();
  switch (topic.kind) {
    case Topic::Kind::kConnections:
      for (const auto& connection : manager_.connections())
        list.push_back(connection_item(connection));
      break;
    case Topic::Kind::kPipelines:
      for (const auto& pipeline : engine_.pipelines()) list.push_back(pipeline_item(pipeline));
      break;
    case Topic::Kind::kAlarms:
      for (const auto& alarm : manager_.alarms().active()) list.push_back(alarm_view(alarm));
      break;
    case Topic::Kind::kRuns: {
      if (topic.pipeline_id.empty()) break;
      const std::string from_newest;
      const store::RunFilter every;
      auto runs = co_await engine_.runs(topic.pipeline_id, from_newest, kRunsInSnapshot, every);
      if (!runs) break;
      for (const auto& run : *runs) list.push_back(run_view(run));
      break;
    }
    case Topic::Kind::kValues: {
      auto batch = co_await manager_.last_values(topic.function_id);
      if (!batch) break;
      Json data = batch_view(*batch, topic.big);
      list = batch->is_scans() ? data["samples"] : data["records"];
      break;
    }
  }
  co_return list;
}

void StreamHub::handle_message(StreamClient& client, const std::string& text) {
  std::int64_t id = 0;
  auto request = parse_stream_request(text, id);
  if (!request) {
    client.reply_error(id, request.error());
    return;
  }
  if (request->topic) {
    subscribe(client, request->id, std::move(*request->topic));
  } else {
    client.unsubscribe(request->id);
    update_feeds();
  }
}

void StreamHub::subscribe(StreamClient& client, std::int64_t id, Topic topic) {
  auto checked = check(topic);
  if (!checked && checked.error().code != "too_many_clients") {
    client.reply_error(id, checked.error());
    return;
  }
  const bool first_of_connections =
      topic.kind == Topic::Kind::kConnections && !is_watched(Topic::Kind::kConnections);
  if (!client.subscribe(id, std::move(topic))) {
    client.reply_error(
        id, Problem(409, "subscription_refused", "This id is in use, or there are too many."));
    return;
  }
  if (first_of_connections) known_connections_ = shown_connections();
  update_feeds();
}

// One feed per function that anybody looks at.
void StreamHub::update_feeds() {
  std::set<std::string> wanted;
  for (const auto& client : clients_) {
    for (auto& id : client->functions()) wanted.insert(std::move(id));
  }
  std::erase_if(feeds_, [&wanted](const auto& entry) { return !wanted.contains(entry.first); });
  for (const std::string& id : wanted) {
    if (feeds_.contains(id)) continue;
    auto feed = ValuesFeed::open(manager_, id, runtime_.control(), runtime_.timers(),
                                 [this, id](const ValuesFeed::Update& update) {
                                   for (const auto& client : clients_)
                                     client->push_values(id, update);
                                 });
    if (feed) {
      feeds_[id] = std::move(*feed);
      continue;
    }
    for (const auto& client : clients_) client->drop_function(id, feed.error());
  }
}

void StreamHub::on_state(const connect::StateChange& change) {
  if (!is_watched(Topic::Kind::kConnections)) return;
  Json delta = json_object();
  delta["id"] = change.connection_id;
  if (change.removed) {
    delta["removed"] = true;
    known_connections_.erase(change.connection_id);
  } else {
    delta["name"] = change.connection_name;
    delta["state"] = connect::to_json(change.state);
  }
  for (const auto& client : clients_) client->push(of_kind(Topic::Kind::kConnections), delta);
}

bool StreamHub::is_watched(Topic::Kind kind) const {
  return std::ranges::any_of(clients_,
                             [kind](const auto& client) { return client->listens_to(kind); });
}

std::map<std::string, std::string> StreamHub::shown_connections() const {
  std::map<std::string, std::string> shown;
  for (const auto& connection : manager_.connections())
    shown[connection.row.id] = connection.row.name + '\0' + connection.row.type;
  return shown;
}

// Connections that came, were renamed or went, as far as the state changes have not told it.
void StreamHub::check_connections() {
  if (!is_watched(Topic::Kind::kConnections)) {
    known_connections_.clear();
    return;
  }
  auto now = shown_connections();
  for (const auto& [id, shown] : now) {
    const auto before = known_connections_.find(id);
    if (before != known_connections_.end() && before->second == shown) continue;
    const auto connection = manager_.connection(id);
    if (!connection) continue;
    const Json delta = connection_item(*connection);
    for (const auto& client : clients_) client->push(of_kind(Topic::Kind::kConnections), delta);
  }
  for (const auto& [id, shown] : known_connections_) {
    if (now.contains(id)) continue;
    for (const auto& client : clients_)
      client->push(of_kind(Topic::Kind::kConnections), removed_item(id));
  }
  known_connections_ = std::move(now);
}

void StreamHub::on_catalogue_changed() {
  if (catalogue_timer_) return;
  catalogue_timer_ =
      runtime_.timers().at(runtime_.control(), runtime_.timers().now() + kCatalogueEvery, [this] {
        catalogue_timer_.reset();
        check_catalogue();
      });
}

void StreamHub::check_catalogue() {
  check_connections();
  std::vector<std::string> gone;
  for (const auto& [id, feed] : feeds_) {
    if (!manager_.function(id)) gone.push_back(id);
  }
  const Problem problem(404, "not_found", "The function was deleted.");
  for (const std::string& id : gone) {
    for (const auto& client : clients_) client->drop_function(id, problem);
    feeds_.erase(id);
  }
}

void StreamHub::on_run(const orchestrate::RunEvent& event) {
  const Json delta = run_view(event.run);
  auto wanted = [&event](const Topic& topic) {
    return topic.kind == Topic::Kind::kRuns &&
           (topic.pipeline_id.empty() || topic.pipeline_id == event.run.pipeline_id);
  };
  for (const auto& client : clients_) client->push(wanted, delta);
}

void StreamHub::on_alarm(const connect::AlarmRow& alarm) {
  const Json delta = alarm_view(alarm);
  for (const auto& client : clients_) client->push(of_kind(Topic::Kind::kAlarms), delta);
}

// Pipelines have counters that move all the time: once a second is what a person can read.
void StreamHub::check_pipelines() {
  if (!is_watched(Topic::Kind::kPipelines)) {
    known_pipelines_.clear();
    return;
  }
  const bool first = known_pipelines_.empty();
  std::map<std::string, std::string> now;
  for (const auto& pipeline : engine_.pipelines()) {
    Json item = pipeline_item(pipeline);
    std::string text = to_text(item);
    auto before = known_pipelines_.find(pipeline.row.id);
    if (!first && (before == known_pipelines_.end() || before->second != text)) {
      for (const auto& client : clients_) client->push(of_kind(Topic::Kind::kPipelines), item);
    }
    now[pipeline.row.id] = std::move(text);
  }
  for (const auto& [id, text] : known_pipelines_) {
    if (now.contains(id)) continue;
    for (const auto& client : clients_)
      client->push(of_kind(Topic::Kind::kPipelines), removed_item(id));
  }
  known_pipelines_ = std::move(now);
}

// Whoever signed out, or whose token was revoked, hears nothing more (checklist A5, B4: within 5
// s).
void StreamHub::check_credentials() {
  for (const auto& client : clients_) {
    bool valid = true;
    if (client->via() == Via::kSession) valid = auth_.is_session_alive(client->credential());
    if (client->via() == Via::kToken) valid = auth_.check_token(client->credential()).has_value();
    if (valid) continue;
    client->close();
    channels_[client.get()]->close(kSignedOut, "The session or token has ended.");
  }
}

void StreamHub::tick() {
  check_credentials();
  check_pipelines();
  timer_ =
      runtime_.timers().at(runtime_.control(), runtime_.timers().now() + kTick, [this] { tick(); });
}

}  // namespace tributary::api
