// The connector's side: the same messages through a session, as the framework uses it.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "bench/mqtt_throughput.hpp"
#include "connectors/mqtt/resources.hpp"
#include "runtime/event.hpp"
#include "sdk/registry.hpp"

namespace tributary::bench {
namespace {

// Calls that the framework makes at once (connector.json, maxConcurrentCalls).
constexpr int kCalls = 64;

class NoEvents final : public sdk::SessionEvents {
 public:
  void lost(Error error) override {
    std::fprintf(stderr, "lost: %s\n", error.message.c_str());
    std::exit(1);
  }
};

class CountingSink final : public sdk::Sink {
 public:
  CountingSink(const Executor& executor, std::size_t wanted) : all_(executor), wanted_(wanted) {}
  Task<Result<void>> deliver(Batch batch) override {
    received_ += batch.size();
    if (received_ >= wanted_) all_.set();
    co_return Result<void>{};
  }
  Task<void> wait() { return all_.wait(); }

 private:
  Event all_;
  std::size_t wanted_;
  std::size_t received_ = 0;
};

template <typename T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

struct Bench {
  const sdk::Entry& entry;
  sdk::SessionContext context;
  sdk::Profile profile;
  const Flow& flow;
  std::uint16_t port;
  Figures figures{};

  SteadyTime deadline() const { return context.clock.steady_now() + std::chrono::seconds(60); }
  std::shared_ptr<const sdk::Operation> prepare(const std::string& type, Json settings) const {
    settings = entry.function(type)->schema.with_defaults(std::move(settings));
    return must(entry.connector->prepare(profile, {type, settings}));
  }
};

struct Publishing {
  sdk::Session& session;
  std::shared_ptr<const sdk::Operation> operation;
  Json parameters;
  std::size_t left;
  int running;
  Event over;
};

Task<void> publish(Bench& bench, Publishing& all) {
  while (all.left > 0) {
    --all.left;
    auto answer = co_await all.session.call(*all.operation, all.parameters, bench.deadline());
    must(std::move(answer));
  }
  if (--all.running == 0) all.over.set();
}

Task<void> publish_all(Bench& bench, sdk::Session& session) {
  Json settings = json_object();
  settings.insert_or_assign("topic", "bench");
  settings.insert_or_assign("qos", bench.flow.qos);
  Json parameters = json_object();
  parameters.insert_or_assign("payload", payload_of(bench.flow));
  Publishing all{session,
                 bench.prepare("mqtt.publish", std::move(settings)),
                 std::move(parameters),
                 bench.flow.messages,
                 kCalls,
                 Event(bench.context.executor)};
  for (int i = 0; i < kCalls; ++i) spawn(bench.context.executor, publish(bench, all));
  co_await all.over.wait();
}

Task<void> run(Bench& bench) {
  const auto session = must(bench.entry.connector->make_session(bench.context, bench.profile));
  net::StageObserver stages;
  auto opened = co_await session->open(bench.deadline(), stages);
  must(std::move(opened));
  CountingSink sink(bench.context.executor, bench.flow.messages);
  std::unique_ptr<sdk::Subscription> subscription;
  if (!bench.flow.publishes) {
    const Json settings =
        parse_json(R"({"topics":[{"topic":"bench","qos":2}],"format":"json"})").value();
    const auto operation = bench.prepare("mqtt.subscribe", settings);
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(*session);
    auto made = co_await subscriber.subscribe(*operation, sink, bench.deadline());
    subscription = must(std::move(made));
    start_feeder(bench.port, bench.flow);
  }
  const double cpu = cpu_seconds();
  const auto begin = bench.context.clock.steady_now();
  if (bench.flow.publishes) {
    co_await publish_all(bench, *session);
  } else {
    co_await sink.wait();
  }
  bench.figures = {static_cast<double>(bench.flow.messages),
                   to_seconds(bench.context.clock.steady_now() - begin), cpu_seconds() - cpu};
  session->abort();
  asio::query(bench.context.executor, asio::execution::context).stop();
}

}  // namespace

Figures run_session(std::uint16_t port, const Flow& flow) {
  asio::io_context io(1);
  SystemClock clock;
  const auto timers = make_system_timers();
  const auto network = net::make_system_network(*timers);
  NoEvents events;
  sdk::Registry registry;
  if (!registry.add(connectors::mqtt::resources(), connectors::mqtt::make_connector())) {
    std::exit(1);
  }
  const sdk::Entry& entry = *registry.find("mqtt");
  Json settings = json_object();
  settings.insert_or_assign("host", "127.0.0.1");
  settings.insert_or_assign("port", port);
  sdk::Profile profile;
  profile.connection_id = "bench";
  profile.settings = entry.connection.with_defaults(settings);
  Bench bench{entry, {io.get_executor(), clock, *timers, *network, events}, profile, flow, port};
  spawn(io.get_executor(), run(bench));
  io.run();
  return bench.figures;
}

}  // namespace tributary::bench
