// The front desk with a real store and real threads; connections are scripted.
#include <thread>

#include "engine_support.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kManual =
    R"({"name": "by hand", "enabled": true, "labels": {"site": "izmir"}, "nodes": [{"id": "t", "type": "trigger.manual"},
  {"id": "n", "type": "set", "settings": {"fields": {"b": "{{ $input.a + 1 }}"}}},
  {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "n"}, {"from": "n", "to": "d"}]})";
constexpr std::string_view kSubscribed = R"({"name": "from function", "enabled": true, "nodes": [
  {"id": "t", "type": "trigger.function", "settings": {"functionId": "sub"}},
  {"id": "d", "type": "function", "settings": {"functionId": "write"}, "delivery": {"mode": "durable"}}], "edges": [{"from": "t", "to": "d"}]})";

TEST_F(EngineTest, APipelineIsStoredAndRunsAfterARestart) {
  const std::string id = created(kManual).row.id;
  close();
  open();
  const PipelineView after = view(id);
  EXPECT_EQ(after.row.name, "by hand");
  EXPECT_EQ(get_string(after.row.labels, "site"), "izmir");
  EXPECT_FALSE(after.row.document.contains("name"));
  EXPECT_EQ(after.status, "running");
  const auto run = control([&] { return engine_->run(id, json(R"({"a": 1})"), Actor{}); });
  ASSERT_TRUE(run.has_value()) << run.error().message;
  EXPECT_EQ(run->status, "completed");
  EXPECT_EQ(view(id).records_out, 1);
}

TEST_F(EngineTest, ARunIsFoundAgainAndTold) {
  const std::string id = created(kManual).row.id;
  std::promise<std::string> told;
  auto registration = ask([&] {
    return engine_->watch_runs([&told](const RunEvent& event) { told.set_value(event.run.id); });
  });
  const auto run =
      control([&] { return engine_->run(id, json(R"([{"a": 1}, {"a": 2}])"), Actor{}); });
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(told.get_future().get(), run->id);
  const auto found = control([&] { return engine_->find_run(run->id); });
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->records_in, 2);
  const auto list = control([&] { return engine_->runs(id, "", 10); });
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->size(), 1u);
  EXPECT_EQ(control([&] { return engine_->find_run("nothing"); }).error().code, "not_found");
  ask([&] { return registration.reset(), true; });
}

TEST_F(EngineTest, WhatCannotRunSaysWhy) {
  const std::string manual = created(kManual).row.id;
  const std::string subscribed = created(kSubscribed).row.id;
  const auto code = [&](const std::string& id, std::string_view input) {
    auto run = control([&] { return engine_->run(id, json(input), Actor{}); });
    return run ? "ran" : run.error().code;
  };
  EXPECT_EQ(code("gone", "null"), "not_found");
  EXPECT_EQ(code(subscribed, "null"), "no_manual_trigger");
  EXPECT_EQ(code(manual, "5"), "invalid_input");
  EXPECT_EQ(code(manual, "[]"), "invalid_input");
  EXPECT_EQ(code(manual, "[1]"), "invalid_input");
  EXPECT_EQ(code(manual, "null"), "ran");
  control([&] { return engine_->set_enabled(manual, false, Actor{}); });
  EXPECT_EQ(code(manual, "null"), "pipeline_disabled");
}

TEST_F(EngineTest, AnInvalidBodyStoresNothing) {
  const auto refused = create(
      R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.schedule", "settings": {"intervalMs": 1}}]})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(error_code(refused.error()), "/nodes/0/settings/intervalMs out_of_range");
  const auto dry = create(kManual, true);
  EXPECT_TRUE(dry.has_value());
  EXPECT_TRUE(ask([&] { return engine_->pipelines(); }).empty());
}

TEST_F(EngineTest, UpdatesMakeVersionsAndConflictsAreRefused) {
  const std::string id = created(kManual).row.id;
  const auto patch = [&](std::string_view text, std::int64_t version, bool dry_run = false) {
    const Json document = json(text);
    return control(
        [&] { return engine_->update(id, document, version, Actor{"tester"}, dry_run); });
  };
  EXPECT_EQ(patch(R"({"description": "dry"})", 1, true)->row.version, 2);
  EXPECT_EQ(view(id).row.version, 1);
  const auto changed =
      patch(R"({"description": "second", "labels": {"site": null, "line": "3"}})", 1);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->row.version, 2);
  EXPECT_EQ(to_text(changed->row.labels), R"({"line":"3"})");
  EXPECT_EQ(changed->status, "running");
  EXPECT_EQ(error_code(patch(R"({"description": "third"})", 1).error()), "version_conflict");
  EXPECT_EQ(error_code(patch(R"({"nodes": []})", 0).error()), "/nodes too_short");
  EXPECT_EQ(patch(R"({"enabled": false})", 0)->status, "disabled");
  const auto versions = control([&] { return engine_->versions(id); });
  ASSERT_TRUE(versions.has_value());
  EXPECT_EQ(versions->size(), 3u);
}

TEST_F(EngineTest, BatchesOfAFunctionArriveAndStopWithThePipeline) {
  const std::string id = created(kSubscribed).row.id;
  EXPECT_EQ(view(id).durability, "disk");
  const auto accepted = deliver("sub", {json(R"({"a": 1})"), json(R"({"a": 2})")});
  ASSERT_TRUE(accepted.has_value()) << accepted.error().message;
  PipelineView now = view(id);
  EXPECT_EQ(now.records_in, 2);
  EXPECT_EQ(now.records_out, 2);
  EXPECT_EQ(now.status, "running");
  control([&] { return engine_->set_enabled(id, false, Actor{}); });
  EXPECT_EQ(view(id).status, "disabled");
  EXPECT_EQ(view(id).records_in, 2);
  EXPECT_EQ(deliver("sub", {json("{}")}).error().code, "no_consumer");
  control([&] { return engine_->set_enabled(id, true, Actor{}); });
  EXPECT_TRUE(deliver("sub", {json("{}")}).has_value());
}

TEST_F(EngineTest, APipelineFollowsItsFunctionBeingDeletedAndMadeAgain) {
  const std::string id = created(kSubscribed).row.id;
  const auto change = [&](auto edit) {
    ask([&] {
      edit();
      port_->catalogue_changed();
      return true;
    });
  };
  const auto wait_for = [&](const std::string& status) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (view(id).status != status && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
    return view(id);
  };
  const FunctionInfo kept = port_->functions["sub"];
  change([&] { port_->functions.erase("sub"); });
  PipelineView now = wait_for("failing");
  ASSERT_TRUE(now.error);
  EXPECT_EQ(now.error->code, "unknown_function");
  EXPECT_EQ(now.error->pointer, "/nodes/0/settings/functionId");
  change([&] { port_->functions["sub"] = kept; });
  EXPECT_EQ(wait_for("running").status, "running");
  EXPECT_TRUE(deliver("sub", {json("{}")}).has_value());
}

TEST_F(EngineTest, AnAbsentConnectionShowsAsWaiting) {
  const std::string id = created(kSubscribed).row.id;
  ask([&] { return port_->connected = false; });
  EXPECT_EQ(view(id).status, "waiting");
}

TEST_F(EngineTest, ADeletedPipelineIsGone) {
  const std::string id = created(kSubscribed).row.id;
  EXPECT_TRUE(control([&] { return engine_->remove(id, Actor{}); }).has_value());
  EXPECT_FALSE(ask([&] { return engine_->pipeline(id); }).has_value());
  EXPECT_EQ(control([&] { return engine_->remove(id, Actor{}); }).error().code, "not_found");
  EXPECT_EQ(deliver("sub", {json("{}")}).error().code, "no_consumer");
}

TEST_F(EngineTest, ManyChangesAtOnceLeaveOneRunner) {
  const std::string id = created(kSubscribed).row.id;
  std::vector<std::future<Result<PipelineView>>> changes;
  for (int i = 0; i < 20; ++i) {
    auto flip = [this, id, i] { return engine_->set_enabled(id, i % 2 == 1, Actor{}); };
    changes.push_back(asio::co_spawn(runtime_->control(), flip, asio::use_future));
  }
  for (auto& change : changes) EXPECT_TRUE(change.get().has_value());
  EXPECT_EQ(view(id).status, "running");
  EXPECT_TRUE(deliver("sub", {json("{}")}).has_value());
  EXPECT_EQ(view(id).records_in, 1);
}

TEST_F(EngineTest, AStatusTriggerStartsWithNewsOfItsConnectionsUntilThePipelineIsDisabled) {
  const std::string id =
      created(
          R"({"name": "status", "enabled": true, "nodes": [{"id": "t", "type": "trigger.connectionStatus",
      "settings": {"connectionIds": ["C1"], "debounceMs": 0}}]})")
          .row.id;
  const auto tell = [&] {
    return ask([&] {
      std::size_t listening = 0;
      for (const auto& weak : port_->state_listeners) {
        ConnectionNews news;
        news.connection_id = "C1";
        news.from = connect::Status::kConnected;
        news.state.status = connect::Status::kFailed;
        if (const auto listener = weak.lock()) {
          (*listener)(news);
          ++listening;
        }
      }
      return listening;
    });
  };
  EXPECT_EQ(tell(), 2u) << "the trigger, and the engine for its couriers";
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (view(id).records_out < 1 && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_EQ(view(id).records_out, 1);
  const auto disabled = control([&] { return engine_->set_enabled(id, false, Actor{}); });
  ASSERT_TRUE(disabled.has_value());
  EXPECT_EQ(tell(), 1u);
}

}  // namespace
}  // namespace tributary::orchestrate
