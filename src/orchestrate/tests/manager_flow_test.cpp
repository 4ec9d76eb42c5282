// Pipelines over the real manager: a scripted peer at the other end of a connection, a real store,
// real threads.
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <thread>

#include "connect/tests/fake_connector.hpp"
#include "orchestrate/engine.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using connect::testing_support::FakePeer;
using std::chrono::seconds;

class ManagerFlow : public testing::Test {
 protected:
  template <typename F>
  auto control(F make) {
    return asio::co_spawn(runtime_->control(), std::move(make), asio::use_future).get();
  }
  template <typename F>
  auto ask(F question) {
    std::promise<decltype(question())> promise;
    asio::post(runtime_->control(), [&] { promise.set_value(question()); });
    return promise.get_future().get();
  }
  ManagerFlow() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pipelines-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    connect::testing_support::add_fake(registry_, peer_);
    store_ = *store::Store::open(dir_, clock_);
    vault_ = *secrets::Vault::open(dir_, true);
    runtime_ = std::make_unique<Runtime>(2, clock_, *timers_);
    const connect::ManagerOptions options{std::chrono::milliseconds{1}, 1000, 1000, 2};
    manager_ = std::make_unique<connect::Manager>(*runtime_, network_, *store_, *vault_, registry_,
                                                  options);
    EXPECT_TRUE(manager_->load().has_value());
    engine_ = std::make_unique<Engine>(*runtime_, *store_, *manager_, &spool_);
    EXPECT_TRUE(engine_->load().has_value());
  }
  ~ManagerFlow() override {
    control([this] { return stop_all(); });
    std::promise<void> gone;
    asio::post(runtime_->control(), [this, &gone] {
      engine_.reset();
      manager_.reset();
      gone.set_value();
    });
    gone.get_future().wait();
    runtime_->stop();
    runtime_.reset();
    store_.reset();
    std::filesystem::remove_all(dir_);
  }

  Task<bool> stop_all() {
    co_await engine_->shutdown(seconds(5));
    co_await manager_->shutdown(seconds(5));
    co_return true;
  }
  PipelineView view(const std::string& id) {
    return ask([&] { return engine_->pipeline(id); }).value_or(PipelineView{});
  }
  // Looks until it is so; the limit is reached only when the test fails.
  template <typename F>
  testing::AssertionResult comes_true(F condition) {
    const auto limit = std::chrono::steady_clock::now() + seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit)
        return testing::AssertionFailure() << "never came true: " << story();
      std::this_thread::yield();
    }
    return testing::AssertionSuccess();
  }

  // What the pipeline and its connection say, for a failed test.
  std::string story() {
    const PipelineView now = view(pipeline_);
    std::string text = "pipeline " + now.status + ", in " + std::to_string(now.records_in) +
                       ", out " + std::to_string(now.records_out) + ", errors " +
                       std::to_string(now.errors);
    for (const auto& node : now.nodes) {
      if (node.last_error) text += "; " + node.node_id + ": " + node.last_error->message;
    }
    const auto connection = ask([&] { return manager_->connection(connection_); });
    if (connection) text += "; connection " + to_text(connect::to_json(connection->state));
    const auto subscription = ask([&] { return manager_->function(subscribe_); });
    if (subscription) {
      text += "; subscription " + subscription->subscription + ", samples " +
              std::to_string(subscription->samples);
    }
    return text;
  }

  void connect_fake() {
    const Json body = json(
        R"({"name": "Line 3 PLC", "type": "fake", "settings": {"host": "192.0.2.1"}, "autostart": true})");
    auto made = control([&] { return manager_->create(body, Actor{}, false); });
    ASSERT_TRUE(made.has_value());
    connection_ = made->row.id;
  }
  std::string function(std::string_view body) {
    const Json document = json(body);
    auto made =
        control([&] { return manager_->create_function(connection_, document, Actor{}, false); });
    EXPECT_TRUE(made.has_value());
    return made ? made->row.id : "";
  }
  std::string pipeline(const std::string& body) {
    const Json document = json(body);
    auto made = control([&] { return engine_->create(document, Actor{}, false); });
    EXPECT_TRUE(made.has_value());
    return made ? made->row.id : "";
  }
  // Polled function → set → write function of the same connection, durable.
  void make_flow() {
    connect_fake();
    subscribe_ = function(
        R"({"name": "watch", "type": "fake.subscribe", "settings": {"points": ["speed"], "intervalMs": 10, "reportOn": "always"}})");
    const std::string write =
        function(R"({"name": "put", "type": "fake.write", "settings": {"points": ["level"]}})");
    pipeline_ = pipeline(
        R"({"name": "flow", "enabled": true, "nodes": [
      {"id": "t", "type": "trigger.function", "settings": {"functionId": ")" +
        subscribe_ + R"("}},
      {"id": "n", "type": "set", "settings": {"fields": {"level": "{{ $input.speed * 2 }}"}}},
      {"id": "d", "type": "function", "settings": {"functionId": ")" +
        write +
        R"("}, "delivery": {"mode": "durable", "retry": {"initialDelayMs": 10, "maxDelayMs": 20}}}],
      "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})");
  }

  std::string dir_;
  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  FakePeer peer_;
  sdk::Registry registry_;
  connect::testing_support::NoNetwork network_;
  MemorySpool spool_{clock_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<secrets::Vault> vault_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<connect::Manager> manager_;
  std::unique_ptr<Engine> engine_;
  std::string connection_;
  std::string subscribe_;
  std::string pipeline_;
};

TEST_F(ManagerFlow, ScansAreWrittenThroughTheSameConnection) {
  make_flow();
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).records_out >= 20; }));
  const PipelineView now = view(pipeline_);
  EXPECT_EQ(now.errors, 0);
  EXPECT_EQ(now.status, "running");
  EXPECT_EQ(now.records_in, now.records_out);
}

TEST_F(ManagerFlow, SuspendingTheConnectionMakesThePipelineWait) {
  make_flow();
  ASSERT_TRUE(comes_true([&] { return view(pipeline_).records_out > 0; }));
  auto suspended = control([&] {
    return manager_->suspend(connection_, "valve replacement", std::nullopt, Actor{"operator1"});
  });
  ASSERT_TRUE(suspended.has_value());
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).status == "waiting"; }));
  EXPECT_EQ(view(pipeline_).waiting_reason,
            "The connection \"Line 3 PLC\" is suspended: valve replacement");
  auto resumed = control([&] { return manager_->resume(connection_, true, Actor{"operator1"}); });
  ASSERT_TRUE(resumed.has_value());
  const std::int64_t before = view(pipeline_).records_out;
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).records_out > before + 5; }));
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).status == "running"; }));
  EXPECT_EQ(view(pipeline_).errors, 0);
}

TEST_F(ManagerFlow, ADestinationOnASuspendedConnectionFailsAtOnceWithTheReason) {
  connect_fake();
  const std::string write =
      function(R"({"name": "put", "type": "fake.write", "settings": {"points": ["level"]}})");
  pipeline_ = pipeline(
      R"({"name": "by hand", "enabled": true, "nodes": [
      {"id": "t", "type": "trigger.manual", "settings": {}},
      {"id": "d", "type": "function", "settings": {"functionId": ")" +
      write + R"("}}], "edges": [{"from": "t", "to": "d"}]})");
  ASSERT_TRUE(comes_true([&] { return peer_.live == 1; }));
  auto suspended = control([&] {
    return manager_->suspend(connection_, "valve replacement", std::nullopt, Actor{"operator1"});
  });
  ASSERT_TRUE(suspended.has_value());
  const auto begun = std::chrono::steady_clock::now();
  auto run = control([&] { return engine_->run(pipeline_, json(R"({"level": 1})"), Actor{}); });
  ASSERT_TRUE(run.has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(2)) << "no time-out is waited for";
  EXPECT_EQ(run->errors, 1);
  const auto node = view(pipeline_).nodes.at(1);
  ASSERT_TRUE(node.last_error.has_value());
  EXPECT_EQ(node.last_error->code, "connection_suspended");
  EXPECT_EQ(node.last_error->message, "The connection is suspended: valve replacement");
  EXPECT_EQ(peer_.calls, 0);
}

TEST_F(ManagerFlow, DeletingTheTriggersFunctionMakesThePipelineFail) {
  make_flow();
  ASSERT_TRUE(comes_true([&] { return view(pipeline_).records_out > 0; }));
  auto removed = control([&] { return manager_->remove_function(subscribe_, Actor{}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).error.has_value(); }));
  EXPECT_EQ(view(pipeline_).status, "failing");
  EXPECT_EQ(view(pipeline_).error->code, "unknown_function");
}

// The status of the connection that the record is written through: told when it comes up.
TEST_F(ManagerFlow, AStatusTriggerTellsWhatARealConnectionDoes) {
  connect_fake();
  const std::string write =
      function(R"({"name": "put", "type": "fake.write", "settings": {"points": ["level"]}})");
  pipeline_ = pipeline(
      R"({"name": "status", "enabled": true, "nodes": [
      {"id": "t", "type": "trigger.connectionStatus", "settings": {"connectionIds": [")" +
      connection_ +
      R"("], "to": ["Connected"], "debounceMs": 0}},
      {"id": "n", "type": "set", "settings": {"fields": {"level": "{{ $input.suppressed }}"}, "include": "none"}},
      {"id": "d", "type": "function", "settings": {"functionId": ")" +
      write + R"("}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})");
  auto restarted = control([&] { return manager_->restart(connection_, Actor{"operator1"}); });
  ASSERT_TRUE(restarted.has_value());
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).records_out >= 1; }));
  EXPECT_EQ(view(pipeline_).errors, 0);
}

TEST_F(ManagerFlow, DeletingAConnectionThatAStatusTriggerNamesMakesThePipelineFail) {
  connect_fake();
  pipeline_ = pipeline(
      R"({"name": "status", "enabled": true, "nodes": [{"id": "t", "type": "trigger.connectionStatus", "settings": {"connectionIds": [")" +
      connection_ + R"("]}}]})");
  EXPECT_EQ(view(pipeline_).status, "running");
  auto removed = control([&] { return manager_->remove(connection_, true, Actor{}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(comes_true([&] { return view(pipeline_).error.has_value(); }));
  EXPECT_EQ(view(pipeline_).error->code, "unknown_connection");
}

}  // namespace
}  // namespace tributary::orchestrate
