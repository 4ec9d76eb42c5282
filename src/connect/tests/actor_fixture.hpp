// One actor on virtual time: no threads, no disk, no sleep.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "connect/actor.hpp"
#include "fake_connector.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::connect::testing_support {

// Keeps rows in memory and checks what must hold for all of them.
class MemoryLog final : public HistoryLog {
 public:
  explicit MemoryLog(asio::io_context& context) : context_(context) {}
  void append(std::vector<store::HistoryRow> rows, std::optional<store::ConnectionRow> intent,
              std::move_only_function<void(Result<void>)> done) override {
    Result<void> result;
    if (broken) {
      result = fail(ErrorClass::kInternal, "disk_full", "The disk is full.");
    } else {
      for (auto& row : rows) this->rows.push_back(std::move(row));
      if (intent) intents.push_back(intent->intent);
    }
    if (hangs) return waiting.push_back(std::move(done));
    asio::post(context_, [done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }
  const std::string& boot_id() const override { return boot; }

  std::vector<std::string> path() const {
    std::vector<std::string> path;
    for (const auto& row : rows) path.push_back(row.to);
    return path;
  }
  // Invariant 5.
  void expect_gapless() const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].seq, static_cast<std::int64_t>(i) + 1);
      EXPECT_EQ(rows[i].from, i > 0 ? rows[i - 1].to : "");
      const auto from = parse_status(rows[i].from);
      EXPECT_TRUE(lifecycle::is_legal(from, *parse_status(rows[i].to)))
          << rows[i].from << " > " << rows[i].to;
    }
  }

  std::vector<store::HistoryRow> rows;
  std::vector<std::string> intents;
  bool broken = false;
  bool hangs = false;
  std::vector<std::move_only_function<void(Result<void>)>> waiting;
  std::string boot = "boot-1";

 private:
  asio::io_context& context_;
};

class ActorTest : public testing::Test {
 protected:
  ActorTest() : directory_(make_directory()), vault_(*secrets::Vault::open(directory_, true)) {
    add_fake(registry_, peer_);
    row_.id = "01TEST";
    row_.name = "Line 3 PLC";
    row_.type = "fake";
    row_.settings = Json::parse(R"({"host": "192.0.2.1"})");
    row_.reconnect = json_object();
    build();
  }
  ~ActorTest() override {
    if (actor_) {
      actor_->post(lifecycle::Delete{{}, true});
      timers_.advance(std::chrono::seconds{10});
    }
    actor_.reset();
    timers_.settle();
    std::filesystem::remove_all(directory_);
    log_.expect_gapless();
  }

  static std::string make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "connect_XXXXXX").string();
    return mkdtemp(name.data());
  }

  std::shared_ptr<const ConnectionConfig> config() const {
    return make_config(row_, *registry_.find(row_.type), {});
  }

  virtual net::Network& network() { return network_; }

  std::shared_ptr<ConnectionActor> make_actor(std::int64_t last_seq) {
    ActorServices services{context_.get_executor(),
                           clock_,
                           timers_,
                           network(),
                           log_,
                           limiter_,
                           *vault_,
                           [this](const StateChange& change) { changes_.push_back(change); },
                           [this](const AlarmKey& key, std::optional<std::string> message) {
                             if (message) {
                               alarms_[key] = *std::move(message);
                             } else {
                               alarms_.erase(key);
                             }
                           },
                           nullptr};
    return std::make_shared<ConnectionActor>(std::move(services), config(), last_seq, 42);
  }

  void build() {
    actor_ = make_actor(0);
    actor_->post(lifecycle::Created{"anna"});
    timers_.settle();
  }

  void set_reconnect(std::string_view json) {
    row_.reconnect = Json::parse(json);
    const auto changed = config();
    spawn(context_.get_executor(),
          [](std::shared_ptr<ConnectionActor> actor,
             std::shared_ptr<const ConnectionConfig> to) -> Task<void> {
            co_await actor->configure(to, false, false, "anna");
          }(actor_, changed));
    timers_.settle();
  }

  // Applies a command and lets at most `within` pass; nullopt when it has not answered by then.
  std::optional<Result<StateView>> command(lifecycle::Event event,
                                           Duration within = std::chrono::milliseconds{20}) {
    auto answer = std::make_shared<std::optional<Result<StateView>>>();
    spawn(context_.get_executor(),
          [](std::shared_ptr<ConnectionActor> actor, lifecycle::Event what,
             std::shared_ptr<std::optional<Result<StateView>>> into) -> Task<void> {
            auto result = co_await actor->command(std::move(what));
            into->emplace(std::move(result));
          }(actor_, std::move(event), answer));
    timers_.advance(within);
    return *answer;
  }
  void start() { command(lifecycle::Start{}); }
  void advance(Duration by) { timers_.advance(by); }
  Status status() const { return actor_->view().status; }

  void add_function(std::string id, std::string_view type, std::string_view settings,
                    bool enabled = true) {
    store::FunctionRow function;
    function.id = id;
    function.name = id;
    function.type = std::string(type);
    function.settings = Json::parse(settings);
    function.enabled = enabled;
    add_function(function);
  }
  void add_function(const store::FunctionRow& function) {
    auto& stats = stats_[function.id];
    if (!stats) stats = std::make_shared<FunctionStats>();
    const auto* type = registry_.find(row_.type)->function(function.type);
    actor_->put_function(make_function_config(function, *type), stats);
    timers_.settle();
  }

  using Pending = std::shared_ptr<std::optional<ExecuteResult>>;
  Pending execute(std::string id, Json parameters = json_object(), Duration timeout = {}) {
    auto answer = std::make_shared<std::optional<ExecuteResult>>();
    spawn(context_.get_executor(),
          [](std::shared_ptr<ConnectionActor> actor, std::string function, Json with,
             Duration within, Pending into) -> Task<void> {
            auto result = co_await actor->execute(std::move(function), std::move(with), within);
            into->emplace(std::move(result));
          }(actor_, std::move(id), std::move(parameters), timeout, answer));
    timers_.settle();
    return answer;
  }

  // What a viewer of the function sees from now on.
  using Seen = std::shared_ptr<std::vector<std::shared_ptr<const Batch>>>;
  Seen watch(const std::string& id) {
    auto seen = std::make_shared<std::vector<std::shared_ptr<const Batch>>>();
    actor_->add_viewer(
        id, std::make_shared<Viewer>([seen](const auto& batch) { seen->push_back(batch); }));
    return seen;
  }

  static Error error_of(ErrorClass error_class, std::string code = "scripted") {
    return {error_class, std::move(code), "The script says so."};
  }

  std::string directory_;
  asio::io_context context_;
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  NoNetwork network_;
  MemoryLog log_{context_};
  AttemptLimiter limiter_{{}};
  std::unique_ptr<secrets::Vault> vault_;
  FakePeer peer_;
  sdk::Registry registry_;
  store::ConnectionRow row_;
  std::map<std::string, std::shared_ptr<FunctionStats>> stats_;
  std::map<AlarmKey, std::string> alarms_;  // active ones
  std::vector<StateChange> changes_;
  std::shared_ptr<ConnectionActor> actor_;
};

}  // namespace tributary::connect::testing_support
