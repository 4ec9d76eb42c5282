// The manager with a real store, real threads and a scripted peer. Waiting is for events, never for
// time.
#include "connect/manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <future>

#include <boost/asio/use_future.hpp>

#include "connect/health_desk.hpp"
#include "fake_connector.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

constexpr seconds kLimit{20};  // of any wait; reached only when the test fails

// One life of the hub over a data directory.
class Hub {
 public:
  Hub(const std::string& directory, const sdk::Registry& registry)
      : timers_(make_system_timers()),
        runtime_(1, clock_, *timers_),
        store_(*store::Store::open(directory, clock_)),
        vault_(*secrets::Vault::open(directory, true)),
        manager_(std::make_unique<Manager>(runtime_, network_, *store_, *vault_, registry,
                                           ManagerOptions{milliseconds{1}, 1000, 1000, 2})) {
    registration_ = on_control([this] {
      return manager_->watch_states([this](const StateChange& change) {
        const std::lock_guard lock(mutex_);
        statuses_[change.connection_id] = change.state.status;
        changed_.notify_all();
      });
    });
  }
  ~Hub() { end(false); }

  void load() { ASSERT_TRUE(manager_->load().has_value()); }

  // As the process ends: politely, or as after kill -9 (nothing is said any more).
  void end(bool politely) {
    if (!manager_) return;
    if (politely) run([](Manager& manager) { return manager.shutdown(seconds{5}); });
    on_control([this] {
      registration_.reset();
      manager_.reset();
      return 0;
    });
    runtime_.stop();
  }

  template <typename F>
  auto on_control(F work) -> std::invoke_result_t<F> {
    std::promise<std::invoke_result_t<F>> promise;
    asio::post(runtime_.control(), [&] { promise.set_value(work()); });
    return promise.get_future().get();
  }
  // Runs a member of the manager on the control executor and waits for its answer.
  template <typename F>
  auto run(F make) -> typename std::invoke_result_t<F, Manager&>::value_type {
    using T = typename std::invoke_result_t<F, Manager&>::value_type;
    auto future = asio::co_spawn(
        runtime_.control(), [make, this]() -> Task<T> { return make(*manager_); },
        asio::use_future);
    if (future.wait_for(kLimit) != std::future_status::ready)
      throw std::runtime_error("no answer in time");
    return future.get();
  }

  bool wait_for(const std::string& id, Status status) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLimit, [&] {
      const auto found = statuses_.find(id);
      return found != statuses_.end() && found->second == status;
    });
  }

  Outcome<ConnectionView> create(Json body, bool dry_run = false) {
    return run([body, dry_run](Manager& m) { return m.create(body, Actor{"anna"}, dry_run); });
  }
  Outcome<ConnectionView> update(std::string id, std::string_view patch, std::int64_t version = 0) {
    return run([id, patch = Json::parse(patch), version](Manager& m) {
      return m.update(id, patch, version, Actor{"anna"}, false);
    });
  }
  Outcome<FunctionView> create_function(std::string id, std::string_view body) {
    return run([id, body = Json::parse(body)](Manager& m) {
      return m.create_function(id, body, Actor{"anna"}, false);
    });
  }
  ConnectionView view(const std::string& id) {
    return on_control([&] { return *manager_->connection(id); });
  }
  std::vector<store::HistoryRow> history(const std::string& id) {
    return *run([id](Manager& m) { return m.events(id, UtcTime{}, UtcTime::max(), 0, 1000); });
  }
  Manager& manager() { return *manager_; }
  store::Store& store() { return *store_; }

 private:
  SystemClock clock_;
  std::unique_ptr<Timers> timers_;
  NoNetwork network_;
  // The store's last answers are posted to the runtime: it outlives the store.
  Runtime runtime_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<secrets::Vault> vault_;
  std::unique_ptr<Manager> manager_;
  Registration registration_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Status> statuses_;
};

class ManagerTest : public testing::Test {
 protected:
  ManagerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "manager_XXXXXX").string();
    directory_ = mkdtemp(name.data());
    add_fake(registry_, peer_);
    hub_ = std::make_unique<Hub>(directory_, registry_);
    hub_->load();
  }
  ~ManagerTest() override {
    hub_.reset();
    std::filesystem::remove_all(directory_);
  }

  static Json profile(std::string_view name, bool autostart = false) {
    Json body = Json::parse(R"({"type": "fake", "settings": {"host": "192.0.2.1"}})");
    body["name"] = std::string(name);
    body["autostart"] = autostart;
    return body;
  }
  std::string connected(std::string_view name = "Line 3 PLC") {
    auto created = hub_->create(profile(name, true));
    EXPECT_TRUE(created.has_value());
    const std::string id = created->row.id;
    EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
    return id;
  }
  void restart(bool politely) {
    hub_->end(politely);
    hub_.reset();
    hub_ = std::make_unique<Hub>(directory_, registry_);
    hub_->load();
  }
  template <typename T>
  static std::vector<std::string> pointers_of(const Outcome<T>& outcome) {
    std::vector<std::string> pointers;
    if (outcome) return pointers;
    if (const auto* invalid = std::get_if<Invalid>(&outcome.error())) {
      for (const auto& error : invalid->errors) pointers.push_back(error.pointer);
    }
    return pointers;
  }
  template <typename T>
  static std::string code_of(const Outcome<T>& outcome) {
    if (outcome) return {};
    const auto* error = std::get_if<Error>(&outcome.error());
    return error ? error->code : "invalid";
  }
  static void expect_gapless(const std::vector<store::HistoryRow>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].seq, static_cast<std::int64_t>(i) + 1);
      EXPECT_EQ(rows[i].from, i > 0 ? rows[i - 1].to : "");
    }
  }

  std::string directory_;
  FakePeer peer_;
  sdk::Registry registry_;
  std::unique_ptr<Hub> hub_;
};

TEST_F(ManagerTest, autostart_connects_at_once) {
  auto created = hub_->create(profile("Line 3 PLC", true));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->row.version, 1);
  EXPECT_EQ(created->row.intent, "running");
  EXPECT_EQ(created->state.epoch, 1);
  EXPECT_TRUE(hub_->wait_for(created->row.id, Status::kConnected));
}

TEST_F(ManagerTest, without_autostart_it_is_idle_until_started) {
  auto created = hub_->create(profile("Line 3 PLC"));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->state.status, Status::kIdle);
  const auto id = created->row.id;
  auto started = hub_->run([id](Manager& m) { return m.start(id, Actor{"anna"}); });
  ASSERT_TRUE(started.has_value());
  EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
}

TEST_F(ManagerTest, a_dry_run_stores_nothing) {
  EXPECT_TRUE(hub_->create(profile("Line 3 PLC"), true).has_value());
  EXPECT_TRUE(hub_->on_control([&] { return hub_->manager().connections(); }).empty());
}

TEST_F(ManagerTest, refuses_what_is_not_valid) {
  Json body = profile("x");
  body["settings"]["port"] = 70000;
  body["nonsense"] = 1;
  EXPECT_THAT(pointers_of(hub_->create(body)),
              testing::UnorderedElementsAre("/nonsense", "/settings/port"));
  Json forbidden = profile("x");
  forbidden["settings"]["host"] = "forbidden";
  EXPECT_THAT(pointers_of(hub_->create(forbidden)), ElementsAre("/settings/host"));
}

TEST_F(ManagerTest, names_are_unique) {
  hub_->create(profile("Line 3 PLC"));
  EXPECT_EQ(code_of(hub_->create(profile("Line 3 PLC"))), "name_taken");
}

TEST_F(ManagerTest, edits_are_merge_patches_with_versions) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto updated = hub_->update(id, R"({"description": "filler", "labels": {"site": "izmir"}})", 1);
  ASSERT_TRUE(updated.has_value());
  EXPECT_EQ(updated->row.version, 2);
  EXPECT_EQ(updated->row.description, "filler");
  EXPECT_EQ(code_of(hub_->update(id, R"({"description": "x"})", 1)), "version_conflict");
  EXPECT_TRUE(hub_->update(id, R"({"description": "y"})", 0).has_value());
  EXPECT_THAT(pointers_of(hub_->update(id, R"({"type": "modbus"})")), ElementsAre("/type"));
  EXPECT_THAT(pointers_of(hub_->update(id, R"({"settings": {"host": null}})")),
              ElementsAre("/settings/host"));
  EXPECT_EQ(code_of(hub_->update("nothing", "{}")), "not_found");
}

TEST_F(ManagerTest, secrets_are_written_and_never_read) {
  Json body = profile("Line 3 PLC", true);
  body["secrets"]["password"] = "canary-77";
  auto created = hub_->create(body);
  ASSERT_TRUE(created.has_value());
  const auto id = created->row.id;
  ASSERT_EQ(created->secrets.size(), 1U);
  EXPECT_TRUE(created->secrets[0].second.set);
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_EQ(peer_.password_seen, "canary-77");
  auto removed = hub_->update(id, R"({"secrets": {"password": null}})");
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(removed->secrets[0].second.set);
}

TEST_F(ManagerTest, a_new_password_is_used_at_once_and_counts_as_maintenance) {
  const auto id = connected();
  ASSERT_TRUE(hub_->update(id, R"({"secrets": {"password": "second"}})").has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  const auto rows = hub_->history(id);
  const auto planned = std::ranges::find_if(
      rows, [](const auto& row) { return row.note.starts_with("maintenance"); });
  ASSERT_NE(planned, rows.end());
  EXPECT_EQ(planned->from, "Connected");
  EXPECT_EQ(planned->to, "Connecting");
}

TEST_F(ManagerTest, a_new_name_does_not_disturb_the_connection) {
  const auto id = connected();
  const auto before = hub_->view(id).state.epoch;
  ASSERT_TRUE(hub_->update(id, R"({"name": "Line 4 PLC"})").has_value());
  EXPECT_EQ(hub_->view(id).state.epoch, before);
  EXPECT_EQ(hub_->view(id).state.status, Status::kConnected);
}

TEST_F(ManagerTest, suspension_needs_a_reason) {
  const auto id = connected();
  const auto suspend = [&](std::string reason) {
    return hub_->run([id, reason](Manager& m) {
      return m.suspend(id, reason, std::nullopt, Actor{"operator1"});
    });
  };
  EXPECT_THAT(pointers_of(suspend(" ")), ElementsAre("/reason"));
  auto suspended = suspend("valve replacement");
  ASSERT_TRUE(suspended.has_value());
  EXPECT_EQ(suspended->state.status, Status::kSuspended);
  EXPECT_EQ(suspended->state.suspension->by, "operator1");
  EXPECT_EQ(suspended->row.intent, "suspended");
  auto started = hub_->run([id](Manager& m) { return m.start(id, Actor{"anna"}); });
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, "connection_suspended");
}

TEST_F(ManagerTest, resume_and_start_are_two_rows) {
  const auto id = connected();
  hub_->run([id](Manager& m) { return m.suspend(id, "reason", std::nullopt, Actor{"anna"}); });
  auto resumed = hub_->run([id](Manager& m) { return m.resume(id, true, Actor{"anna"}); });
  ASSERT_TRUE(resumed.has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  std::vector<std::string> path;
  for (const auto& row : hub_->history(id)) path.push_back(row.to);
  EXPECT_THAT(path, ElementsAre("Idle", "Connecting", "Connected", "Suspended", "Idle",
                                "Connecting", "Connected"));
}

TEST_F(ManagerTest, edge_13_suspended_and_running_survive_a_restart) {
  const auto running = connected("running");
  const auto paused = connected("paused");
  hub_->run([paused](Manager& m) {
    return m.suspend(paused, "valve replacement", std::nullopt, Actor{"op"});
  });
  for (const bool politely : {true, false}) {
    restart(politely);
    ASSERT_TRUE(hub_->wait_for(running, Status::kConnected));
    EXPECT_EQ(hub_->view(paused).state.status, Status::kSuspended);
    EXPECT_EQ(hub_->view(paused).state.suspension->reason, "valve replacement");
    expect_gapless(hub_->history(running));
    expect_gapless(hub_->history(paused));
  }
}

TEST_F(ManagerTest, T27_the_time_without_a_hub_is_unknown) {
  const auto id = connected();
  restart(false);
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  std::vector<std::string> path;
  for (const auto& row : hub_->history(id)) path.push_back(row.to);
  EXPECT_THAT(path, ElementsAre("Idle", "Connecting", "Connected", "Unknown", "Idle", "Connecting",
                                "Connected"));
}

TEST_F(ManagerTest, health_sums_up) {
  const auto id = connected();
  const UtcTime now = SystemClock().utc_now();
  auto health = hub_->run([id, now](Manager& m) {
    return m.health_desk().health(id, now - std::chrono::hours{1}, now, 7);
  });
  ASSERT_TRUE(health.has_value());
  health::Micros sum{};
  for (const auto part : health->figures.spent) sum += part;
  EXPECT_EQ(sum, health->to - health->from);
  EXPECT_EQ(health->buckets.size(), 7U);
  EXPECT_EQ(health->timeline.back().status, Status::kConnected);
  EXPECT_TRUE(health->timeline_complete);
}

TEST_F(ManagerTest, a_deleted_connection_keeps_its_history) {
  const auto id = connected();
  hub_->run([id](Manager& m) { return m.remove(id, true, Actor{"anna"}); });
  const UtcTime now = SystemClock().utc_now();
  const auto health = hub_->run([id, now](Manager& m) {
    return m.health_desk().health(id, now - std::chrono::hours{1}, now, 0);
  });
  ASSERT_TRUE(health.has_value());
  EXPECT_GT(health->figures.in(Status::kConnected), health::Micros{0});
  EXPECT_EQ(health->timeline.back().status, Status::kIdle);
  const auto nobody = hub_->run(
      [now](Manager& m) { return m.health_desk().health("nobody", now - seconds{1}, now, 0); });
  EXPECT_EQ(nobody.error().code, "not_found");
}

TEST_F(ManagerTest, system_wide_health_ranks_filters_and_pages) {
  std::vector<std::string> ids;
  for (const auto* name : {"a", "b", "c"}) ids.push_back(connected(name));
  const auto ask = [&](std::size_t limit, std::string after) {
    SystemHealthQuery query;
    query.to = SystemClock().utc_now() + seconds{1};
    query.from = query.to - std::chrono::hours{1};
    query.wanted = [](const store::ConnectionRow& row) { return row.name != "b"; };
    query.limit = limit;
    query.after = std::move(after);
    return *hub_->run([query](Manager& m) { return m.health_desk().system(query); });
  };
  const SystemHealth first = ask(1, {});
  EXPECT_EQ(first.connections, 2U);
  EXPECT_EQ(first.totals[static_cast<std::size_t>(Status::kConnected)], 2);
  ASSERT_EQ(first.page.size(), 1U);
  ASSERT_TRUE(first.next.has_value());
  health::Micros sum{};
  for (const auto part : first.figures.spent) sum += part;
  EXPECT_EQ(sum, 2 * (first.to - first.from));
  const SystemHealth second = ask(1, *first.next);
  ASSERT_EQ(second.page.size(), 1U);
  EXPECT_NE(second.page[0].subject.id, first.page[0].subject.id);
  EXPECT_FALSE(second.next.has_value());
}

TEST_F(ManagerTest, functions_are_checked_stored_and_run) {
  const auto id = connected();
  EXPECT_THAT(
      pointers_of(hub_->create_function(
          id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["impossible"]}})")),
      ElementsAre("/settings/points/0"));
  auto created = hub_->create_function(
      id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})");
  ASSERT_TRUE(created.has_value());
  const auto function = created->row.id;
  EXPECT_EQ(code_of(hub_->create_function(
                id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})")),
            "name_taken");
  auto answer =
      hub_->run([function](Manager& m) { return m.execute(function, json_object(), {}); });
  ASSERT_TRUE(answer.result.has_value());
  EXPECT_EQ(answer.result->size(), 1U);
  auto removed =
      hub_->run([function](Manager& m) { return m.remove_function(function, Actor{"anna"}); });
  EXPECT_TRUE(removed.has_value());
  auto gone = hub_->run([function](Manager& m) { return m.execute(function, json_object(), {}); });
  EXPECT_EQ(gone.result.error().code, "not_found");
}

TEST_F(ManagerTest, placeholders_are_listed_as_parameters) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto created = hub_->create_function(
      id,
      R"j({"name": "f", "type": "fake.read", "settings": {"points": ["((p))"], "count": "((n))"}})j");
  ASSERT_TRUE(created.has_value());
  EXPECT_THAT(created->parameters, ElementsAre("p", "n"));
}

TEST_F(ManagerTest, live_values_reach_a_viewer_and_the_last_ones_are_kept) {
  const auto id = connected();
  auto created = hub_->create_function(
      id,
      R"({"name": "s", "type": "fake.subscribe", "settings": {"points": ["speed"], "intervalMs": 10, "reportOn": "always"}})");
  ASSERT_TRUE(created.has_value());
  const auto function = created->row.id;
  auto first = std::make_shared<std::promise<double>>();
  auto told = std::make_shared<std::atomic<bool>>(false);
  auto registration = hub_->on_control([&] {
    return hub_->manager().watch_values(
        function, [first, told](const std::shared_ptr<const Batch>& batch) {
          if (!told->exchange(true))
            first->set_value(std::get<double>(batch->scans().front().samples.front().value));
        });
  });
  ASSERT_TRUE(registration.has_value());
  auto value = first->get_future();
  ASSERT_EQ(value.wait_for(kLimit), std::future_status::ready);
  EXPECT_EQ(value.get(), 1.0);
  auto last = hub_->run([function](Manager& m) { return m.last_values(function); });
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->scans().front().samples.front().quality.is_good());
  hub_->on_control([&] {
    registration->reset();
    return 0;
  });
}

TEST_F(ManagerTest, watching_what_does_not_send) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto created = hub_->create_function(
      id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})");
  const auto code = [&](const std::string& function) {
    return hub_->on_control(
        [&] { return hub_->manager().watch_values(function, [](const auto&) {}).error().code; });
  };
  EXPECT_EQ(code(created->row.id), "not_a_subscription");
  EXPECT_EQ(code("nothing"), "not_found");
}

TEST_F(ManagerTest, delete_needs_rest_or_force_and_keeps_history) {
  const auto id = connected();
  auto refused = hub_->run([id](Manager& m) { return m.remove(id, false, Actor{"anna"}); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "connection_running");
  auto removed = hub_->run([id](Manager& m) { return m.remove(id, true, Actor{"anna"}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(hub_->on_control([&] { return hub_->manager().connection(id).has_value(); }));
  EXPECT_EQ(hub_->history(id).back().note, "deleted");
  EXPECT_EQ(peer_.live, 0);
}

TEST_F(ManagerTest, the_test_of_an_unsaved_profile_names_stages_and_cause) {
  auto good = hub_->run([](Manager& m) { return m.test_unsaved(profile("x")); });
  ASSERT_TRUE(good.has_value());
  EXPECT_TRUE(good->success);
  ASSERT_EQ(good->stages.size(), 3U);
  EXPECT_EQ(good->stages.back().stage, "firstRead");
  peer_.open_errors.push_back(
      Error(ErrorClass::kIdentity, "bad_password", "The password is wrong."));
  auto bad = hub_->run([](Manager& m) { return m.test_unsaved(profile("x")); });
  ASSERT_TRUE(bad.has_value());
  EXPECT_FALSE(bad->success);
  ASSERT_TRUE(bad->stages.back().error);
  EXPECT_EQ(bad->stages.back().error->code, "invalid_auth");
  EXPECT_EQ(peer_.live, 0);
}

}  // namespace
}  // namespace tributary::connect
