// OPC UA subscriptions: what the connector costs per value, next to a bare open62541 subscriber of
// the same items at the same server. What counts is the CPU time of the subscriber's process; the
// server runs in another. Then memory of a connection, and how long large address spaces take.
#include <fmt/format.h>
#include <open62541/client.h>
#include <open62541/client_config_default.h>
#include <open62541/client_subscriptions.h>
#include <open62541/nodeids.h>
#include <open62541/server.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "connectors/opcua/resources.hpp"
#include "connectors/opcua/simulator/server.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "runtime/event.hpp"
#include "schema/schema.hpp"
#include "sdk/registry.hpp"

namespace tributary::bench {
namespace {

using connectors::opcua::borrow;
namespace simulator = connectors::opcua::simulator;

constexpr const char* kNamespace = "http://tributary.example/bench";
constexpr std::uint16_t kIndex = 2;
constexpr std::size_t kFolder = 1000;      // nodes in one folder
constexpr std::size_t kPerRequest = 1000;  // items that the server takes at once

void must_be_good(UA_StatusCode status, const char* what) {
  if (status != UA_STATUSCODE_GOOD)
    give_up(fmt::format("{}: {}", what, UA_StatusCode_name(status)));
}

// Every look finds another value.
UA_StatusCode next_value(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void*,
                         UA_Boolean with_time, const UA_NumericRange*, UA_DataValue* value) {
  static UA_UInt32 counter = 0;
  ++counter;
  UA_Variant_setScalarCopy(&value->value, &counter, &UA_TYPES[UA_TYPES_UINT32]);
  value->hasValue = true;
  value->hasSourceTimestamp = with_time;
  value->sourceTimestamp = UA_DateTime_now();
  return UA_STATUSCODE_GOOD;
}

void add_nodes(UA_Server* server, std::size_t count) {
  UA_Server_addNamespace(server, kNamespace);
  for (std::size_t i = 0; i < count; ++i) {
    const auto folder = static_cast<UA_UInt32>(1'000'000 + i / kFolder);
    if (i % kFolder == 0) {
      UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
      attributes.displayName = {UA_STRING_NULL, borrow("Folder")};
      const std::string name = fmt::format("folder{}", folder);
      UA_Server_addObjectNode(
          server, UA_NODEID_NUMERIC(kIndex, folder), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
          UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), {kIndex, borrow(name)},
          UA_NODEID_NUMERIC(0, UA_NS0ID_FOLDERTYPE), attributes, nullptr, nullptr);
    }
    const std::string name = fmt::format("value{}", i);
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.displayName = {UA_STRING_NULL, borrow(name)};
    attributes.dataType = UA_TYPES[UA_TYPES_UINT32].typeId;
    attributes.valueRank = UA_VALUERANK_SCALAR;
    UA_Server_addDataSourceVariableNode(
        server, UA_NODEID_NUMERIC(kIndex, static_cast<UA_UInt32>(i + 1)),
        UA_NODEID_NUMERIC(kIndex, folder), UA_NODEID_NUMERIC(0, UA_NS0ID_HASCOMPONENT),
        {kIndex, borrow(name)}, UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes,
        {next_value, nullptr}, nullptr, nullptr);
  }
}

// The server in a process of its own; ends with its parent.
class Device {
 public:
  explicit Device(std::size_t nodes) {
    int ends[2];
    if (pipe(ends) != 0) give_up("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(ends[1], nodes);
    }
    close(ends[1]);
    if (read(ends[0], &port_, sizeof port_) != sizeof port_) give_up("the server did not start");
    close(ends[0]);
  }
  ~Device() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  std::string url() const { return fmt::format("opc.tcp://127.0.0.1:{}", port_); }

 private:
  [[noreturn]] static void serve(int out, std::size_t nodes) {
    simulator::ServerOptions options;
    options.configure = [](UA_ServerConfig& config) {
      config.maxSessions = 2000;
      config.maxSecureChannels = 2000;
      config.samplingIntervalLimits.min = 10;
      config.publishingIntervalLimits.min = 10;
      config.maxMonitoredItemsPerCall = kPerRequest;
      config.maxNodesPerRead = kPerRequest;
      config.maxNodesPerBrowse = kPerRequest;
    };
    const auto server = must(simulator::Server::start(
        std::move(options), [nodes](UA_Server* native) { add_nodes(native, nodes); }));
    const std::uint16_t port = server->port();
    if (write(out, &port, sizeof port) != sizeof port) std::exit(1);
    pause();
    std::exit(0);
  }
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

struct Load {
  std::size_t items;
  double interval_ms;
  double seconds;
};
struct Figures {
  double values = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

// Counts from the first full round on, for the time of the load.
class Meter {
 public:
  explicit Meter(const Load& load) : load_(load) {}
  // True when it is over.
  bool count(std::size_t values) {
    seen_ += values;
    if (begin_ == 0) {
      if (seen_ < 2 * load_.items) return false;
      begin_ = now();
      cpu_ = cpu_seconds();
      seen_ = 0;
      return false;
    }
    const double passed = now() - begin_;
    if (passed < load_.seconds) return false;
    figures_ = {static_cast<double>(seen_), passed, cpu_seconds() - cpu_};
    return true;
  }
  const Figures& figures() const { return figures_; }
  std::size_t items() const { return load_.items; }

 private:
  const Load& load_;
  std::size_t seen_ = 0;
  double begin_ = 0;
  double cpu_ = 0;
  Figures figures_;
};

// As the library's manual has it: its own subscription, a callback for each value.
struct Bare {
  Meter meter;
  bool over = false;
};

Figures watch_bare(const std::string& url, const Load& load) {
  UA_Client* const client = UA_Client_new();
  UA_ClientConfig* const config = UA_Client_getConfig(client);
  config->logging->log = [](void*, UA_LogLevel, UA_LogCategory, const char*, va_list) {};
  must_be_good(UA_ClientConfig_setDefault(config), "the client");
  must_be_good(UA_Client_connect(client, url.c_str()), "connecting");
  UA_CreateSubscriptionRequest wanted = UA_CreateSubscriptionRequest_default();
  wanted.requestedPublishingInterval = load.interval_ms;
  const auto made = UA_Client_Subscriptions_create(client, wanted, nullptr, nullptr, nullptr);
  must_be_good(made.responseHeader.serviceResult, "subscribing");
  Bare bare{Meter(load)};
  for (std::size_t begin = 0; begin < load.items; begin += kPerRequest) {
    const std::size_t count = std::min(kPerRequest, load.items - begin);
    std::vector<UA_MonitoredItemCreateRequest> items;
    for (std::size_t i = 0; i < count; ++i) {
      items.push_back(UA_MonitoredItemCreateRequest_default(
          UA_NODEID_NUMERIC(kIndex, static_cast<UA_UInt32>(begin + i + 1))));
      items.back().requestedParameters.samplingInterval = load.interval_ms;
      items.back().requestedParameters.queueSize = 10;
    }
    UA_CreateMonitoredItemsRequest request;
    UA_CreateMonitoredItemsRequest_init(&request);
    request.subscriptionId = made.subscriptionId;
    request.timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
    request.itemsToCreate = items.data();
    request.itemsToCreateSize = items.size();
    std::vector<void*> contexts(count, &bare);
    std::vector<UA_Client_DataChangeNotificationCallback> callbacks(
        count, [](UA_Client*, UA_UInt32, void*, UA_UInt32, void* context, UA_DataValue*) {
          auto& mine = *static_cast<Bare*>(context);
          mine.over = mine.meter.count(1) || mine.over;
        });
    std::vector<UA_Client_DeleteMonitoredItemCallback> deletes(count, nullptr);
    auto answer = UA_Client_MonitoredItems_createDataChanges(client, request, contexts.data(),
                                                             callbacks.data(), deletes.data());
    must_be_good(answer.responseHeader.serviceResult, "watching");
    UA_CreateMonitoredItemsResponse_clear(&answer);
  }
  while (!bare.over) must_be_good(UA_Client_run_iterate(client, 100), "waiting");
  return bare.meter.figures();
}

class NoEvents final : public sdk::SessionEvents {
 public:
  void lost(Error error) override { give_up(error.code + ": " + error.message); }
};

// What sessions need, and how they are made.
struct Bench {
  explicit Bench(const std::string& url) {
    profile.connection_name = "bench";
    Json settings = json_object();
    settings["endpointUrl"] = url;
    settings["securityMode"] = "None";
    settings["allowInsecure"] = true;
    settings["requestTimeoutMs"] = 60000;
    profile.settings = with_defaults(connectors::opcua::resources().connection_schema, settings);
  }
  static Json with_defaults(std::string_view schema, const Json& settings) {
    return must(schema::Schema::compile(must(parse_json(schema)))).with_defaults(settings);
  }
  std::shared_ptr<const sdk::Operation> prepare(const std::string& type, const Json& settings) {
    for (const auto& function : connectors::opcua::resources().function_schemas) {
      if (get_string(must(parse_json(function)), "x-function") != type) continue;
      return must(connector->prepare(profile, {type, with_defaults(function, settings)}));
    }
    give_up("no function " + type);
  }
  std::shared_ptr<const sdk::Operation> subscribe_to(std::size_t items, double interval_ms) {
    Json nodes = json_array();
    for (std::size_t i = 0; i < items; ++i) {
      Json node = json_object();
      node["name"] = fmt::format("v{}", i);
      node["nodeId"] = fmt::format("nsu={};i={}", kNamespace, i + 1);
      nodes.push_back(std::move(node));
    }
    Json settings = json_object();
    settings["nodes"] = std::move(nodes);
    settings["publishingIntervalMs"] = interval_ms;
    return prepare("opcua.subscribe", settings);
  }
  SteadyTime soon() const { return clock.steady_now() + std::chrono::minutes(5); }
  Task<std::unique_ptr<sdk::Session>> open() {
    auto session = must(connector->make_session(context, profile));
    net::StageObserver stages;
    const SteadyTime deadline = soon();
    auto opened = co_await session->open(deadline, stages);
    must(std::move(opened));
    co_return session;
  }
  // Runs `task` to its end, and what it leaves behind until then.
  void run(Task<void> task) {
    spawn(io.get_executor(), finish(*this, std::move(task)));
    io.run();
  }
  static Task<void> finish(Bench& bench, Task<void> task) {
    co_await std::move(task);
    bench.io.stop();
  }

  asio::io_context io{1};
  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  std::unique_ptr<net::Network> network = net::make_system_network(*timers);
  NoEvents events;
  std::unique_ptr<sdk::Connector> connector = connectors::opcua::make_connector();
  sdk::Profile profile;
  sdk::SessionContext context{io.get_executor(), clock, *timers, *network, events, nullptr};
};

class Counter final : public sdk::Sink {
 public:
  Counter(Executor executor, const Load& load) : meter(load), first(executor), over(executor) {}
  Task<Result<void>> deliver(Batch batch) override {
    for (const Scan& scan : batch.scans()) {
      if (!scan.samples.empty() && scan.samples.back().quality.is_bad()) give_up("a bad value");
    }
    seen_ += batch.size();
    if (seen_ >= meter.items()) first.set();
    if (meter.count(batch.size())) over.set();
    co_return Result<void>{};
  }
  Meter meter;
  Event first;  // each item has said something
  Event over;

 private:
  std::size_t seen_ = 0;
};

Task<void> watch(Bench& bench, const Load& load, Figures& figures) {
  const auto operation = bench.subscribe_to(load.items, load.interval_ms);
  const auto session = co_await bench.open();
  Counter sink(bench.context.executor, load);
  const SteadyTime deadline = bench.soon();
  auto subscription =
      co_await dynamic_cast<sdk::Subscriber&>(*session).subscribe(*operation, sink, deadline);
  const auto watched = must(std::move(subscription));
  co_await sink.over.wait();
  figures = sink.meter.figures();
  co_await watched->cancel(deadline);
  session->abort();
}

Figures watch_session(const std::string& url, const Load& load) {
  Bench bench(url);
  Figures figures;
  bench.run(watch(bench, load, figures));
  return figures;
}

using Watch = Figures (*)(const std::string& url, const Load& load);

void compare(const Load& load) {
  fmt::print("{} items every {} ms\n", load.items, load.interval_ms);
  double bare = 0;
  struct Candidate {
    const char* name;
    Watch watch;
  };
  for (const auto& [name, watcher] :
       {Candidate{"bare open62541", watch_bare}, Candidate{"connector", watch_session}}) {
    const Device device(load.items);
    const Figures figures = in_own_process([&] { return watcher(device.url(), load); });
    const double cost = figures.cpu_seconds / (figures.values / 1e6);
    if (bare == 0) bare = cost;
    fmt::print("  {:<15} {:>9.0f} values/s  {:>7.3f} CPU s per million values  {:>5.2f} x bare\n",
               name, figures.values / figures.seconds, cost, cost / bare);
    std::fflush(stdout);
  }
}

Task<void> open_many(Bench& bench, std::size_t count) {
  std::vector<std::unique_ptr<sdk::Session>> sessions;
  // The first one brings what is there once.
  sessions.push_back(co_await bench.open());
  const double before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) sessions.push_back(co_await bench.open());
  fmt::print("memory of a connection: {:.0f} KiB ({} of them)\n",
             (resident_bytes() - before) / 1024 / static_cast<double>(count), count);
  for (const auto& session : sessions) session->abort();
}

Task<void> watch_many(Bench& bench, const Load& load) {
  const auto operation = bench.subscribe_to(load.items, load.interval_ms);
  const auto session = co_await bench.open();
  Counter sink(bench.context.executor, load);
  const double begin = now();
  const SteadyTime deadline = bench.soon();
  auto subscription =
      co_await dynamic_cast<sdk::Subscriber&>(*session).subscribe(*operation, sink, deadline);
  const auto watched = must(std::move(subscription));
  const double made = now() - begin;
  co_await sink.first.wait();
  fmt::print("subscribing {} items, {} a request: {:.2f} s, first value of each after {:.2f} s\n",
             load.items, kPerRequest, made, now() - begin);
  co_await watched->cancel(deadline);
  session->abort();
}

Task<void> browse_many(Bench& bench, std::size_t nodes) {
  const auto session = co_await bench.open();
  auto& browser = dynamic_cast<sdk::Browser&>(*session);
  const SteadyTime deadline = bench.soon();
  double begin = now();
  double first = 0;
  std::size_t found = 0;
  std::vector<std::string> folders{"i=85"};
  while (!folders.empty()) {
    const std::string folder = std::exchange(folders.back(), {});
    folders.pop_back();
    std::string cursor;
    do {
      auto answer = co_await browser.browse(folder, cursor, deadline);
      const sdk::BrowsePage page = must(std::move(answer));
      if (first == 0) first = now() - begin;
      for (const auto& node : page.nodes) {
        if (node.id.find(kNamespace) == std::string::npos) continue;
        ++found;
        if (get_string(node.details, "nodeClass") == "object") folders.push_back(node.id);
      }
      cursor = page.next;
    } while (!cursor.empty());
  }
  fmt::print("browsing page by page: {} nodes in {:.2f} s, the first page after {:.0f} ms\n", found,
             now() - begin, first * 1000);
  Json settings = json_object();
  settings["depth"] = 2;
  settings["maxNodes"] = nodes;
  const auto operation = bench.prepare("opcua.browse", settings);
  begin = now();
  const Json none = json_object();
  auto answer = co_await session->call(*operation, none, deadline);
  fmt::print("browsing in one call: {} nodes in {:.2f} s\n", must(std::move(answer)).size(),
             now() - begin);
  session->abort();
}

}  // namespace
}  // namespace tributary::bench

int main(int argc, char** argv) {
  using namespace tributary::bench;
  const double seconds = argc > 1 ? std::stod(argv[1]) : 5;
  compare({10'000, 100, seconds});
  compare({10'000, 1000, seconds});
  {
    const Device device(10);
    Bench bench(device.url());
    bench.run(open_many(bench, 200));
  }
  constexpr std::size_t kMany = 100'000;
  const Device large(kMany);
  {
    Bench bench(large.url());
    bench.run(watch_many(bench, {kMany, 5000, 0}));
  }
  Bench bench(large.url());
  bench.run(browse_many(bench, kMany));
}
