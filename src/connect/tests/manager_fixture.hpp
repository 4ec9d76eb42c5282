// The manager with a real store, real threads and a scripted peer. Waiting is for events, never for
// time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>

#include "connect/manager.hpp"
#include "fake_connector.hpp"

namespace tributary::connect::testing_support {

constexpr std::chrono::seconds kLimit{20};  // of any wait; reached only when the test fails

// This machine's clocks, with a wall clock that a test sets to another time before it starts.
class WallClock final : public Clock {
 public:
  SteadyTime steady_now() const override { return real_.steady_now(); }
  UtcTime utc_now() const override {
    return real_.utc_now() + std::chrono::duration_cast<std::chrono::microseconds>(offset.load());
  }
  std::atomic<Duration> offset{Duration{}};

 private:
  SystemClock real_;
};

// One life of the hub over a data directory.
class Hub {
 public:
  Hub(const std::string& directory, const sdk::Registry& registry, Duration clock_offset = {})
      : timers_(make_system_timers()),
        runtime_(1, clock_, *timers_),
        store_(*store::Store::open(directory, clock_)),
        vault_(*secrets::Vault::open(directory, true)),
        manager_(std::make_unique<Manager>(
            runtime_, network_, *store_, *vault_, registry,
            ManagerOptions{std::chrono::milliseconds{1}, 1000, 1000, 2})) {
    clock_.offset = clock_offset;
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
    if (politely) run([](Manager& manager) { return manager.shutdown(std::chrono::seconds{5}); });
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
  Clock& clock() { return clock_; }
  store::Store& store() { return *store_; }

 private:
  WallClock clock_;
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
  // `later`: how far the wall clock has gone on meanwhile, from now.
  void restart(bool politely, Duration later = {}) {
    hub_->end(politely);
    hub_.reset();
    hub_ = std::make_unique<Hub>(directory_, registry_, later);
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

}  // namespace tributary::connect::testing_support
