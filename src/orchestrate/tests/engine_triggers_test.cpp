// Triggers at the front desk: webhooks with their secrets, pipelines that wait for each other, and
// a thousand schedules; with a real store and real threads.
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "orchestrate/engine.hpp"
#include "orchestrate/hooks/hook_desk.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;

class EngineTriggers : public testing::Test {
 protected:
  EngineTriggers() {
    std::string pattern = (std::filesystem::temp_directory_path() / "triggers-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    open();
  }
  ~EngineTriggers() override {
    close();
    std::filesystem::remove_all(dir_);
  }

  template <typename F>
  auto control(F make) {
    return asio::co_spawn(runtime_->control(), std::move(make), asio::use_future).get();
  }
  template <typename F>
  auto ask(F question) {
    auto promise = std::make_shared<std::promise<decltype(question())>>();
    auto answer = promise->get_future();
    asio::post(runtime_->control(), [promise, question] { promise->set_value(question()); });
    return answer.get();
  }

  void open() {
    auto store = store::Store::open(dir_, clock_);
    ASSERT_TRUE(store.has_value()) << store.error().message;
    store_ = std::move(*store);
    auto vault = secrets::Vault::open(dir_, true);
    ASSERT_TRUE(vault.has_value());
    vault_ = std::move(*vault);
    runtime_ = std::make_unique<Runtime>(2, clock_, *timers_);
    auto port = std::make_unique<FakePort>();
    port_ = port.get();
    port_->add("write", sdk::FunctionKind::kWrite);
    EngineOptions options;
    options.vault = vault_.get();
    engine_ = std::make_unique<Engine>(*runtime_, *store_, std::move(port), nullptr,
                                       std::move(options));
    ASSERT_TRUE(engine_->load().has_value());
  }
  void close() {
    control([this]() -> Task<bool> {
      co_await engine_->shutdown(std::chrono::seconds(5));
      co_return true;
    });
    runtime_->stop();
    engine_.reset();
    runtime_.reset();
    store_.reset();
  }

  // The id, or "pointer code" of the first problem.
  std::string create(std::string_view body) {
    const Json document = json(body);
    const auto made = control([&] { return engine_->create(document, Actor{"tester"}, false); });
    return made ? made->row.id : first_problem(made.error());
  }
  std::string update(const std::string& id, std::string_view patch) {
    const Json document = json(patch);
    const auto changed =
        control([&] { return engine_->update(id, document, 0, Actor{"tester"}, false); });
    return changed ? "" : first_problem(changed.error());
  }
  static std::string first_problem(const std::variant<Error, connect::Invalid>& error) {
    if (error.index() == 0) return std::get<0>(error).code;
    const auto& first = std::get<1>(error).errors.at(0);
    return first.pointer + " " + first.code;
  }
  PipelineView view(const std::string& id) {
    return ask([&] { return engine_->pipeline(id); }).value_or(PipelineView{});
  }
  template <typename F>
  void wait_for(F question) {
    const auto limit = std::chrono::steady_clock::now() + 30s;
    while (!question() && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(2ms);
    EXPECT_TRUE(question());
  }

  // The status of a refusal; 202 or the status of the answer when it was taken.
  int call(const std::string& path, hooks::Pairs headers = {}, const std::string& body = "{}") {
    hooks::Call made;
    made.method = "POST";
    made.path = path;
    made.headers = std::move(headers);
    made.headers.emplace_back("content-type", "application/json");
    made.body = body;
    made.remote = "127.0.0.1";
    const auto taken = control([&] { return hooks::Desk::take(engine_->hooks(), made); });
    if (!taken) return taken.error().status;
    return taken->answer ? taken->answer->status : 202;
  }

  std::string dir_;
  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<secrets::Vault> vault_;
  std::unique_ptr<Runtime> runtime_;
  FakePort* port_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

std::string hook(std::string_view path, std::string_view more = "") {
  return R"({"name": "hook )" + std::string(path) +
         R"(", "enabled": true, "nodes": [{"id": "t", "type": "trigger.webhook", "settings": {"path": ")" +
         std::string(path) + "\"" + std::string(more) + "}}]}";
}
constexpr std::string_view kKey =
    R"(, "authentication": {"type": "header", "header": "X-Key"}, "secret": "open sesame")";

TEST_F(EngineTriggers, AWebhookIsThereWhileItsPipelineIsEnabled) {
  const std::string id = create(hook("orders/new"));
  EXPECT_EQ(call("orders/new"), 202);
  EXPECT_EQ(call("orders"), 404);
  EXPECT_EQ(view(id).records_in, 1);
  EXPECT_EQ(view(id).triggers.at(0).path, "/hooks/orders/new");
  control([&] { return engine_->set_enabled(id, false, Actor{}); });
  EXPECT_EQ(call("orders/new"), 404);
  control([&] { return engine_->set_enabled(id, true, Actor{}); });
  EXPECT_EQ(call("orders/new"), 202);
  close();
  open();
  EXPECT_EQ(call("orders/new"), 202);
  control([&] { return engine_->remove(id, Actor{}); });
  EXPECT_EQ(call("orders/new"), 404);
}

TEST_F(EngineTriggers, ASecretIsSealedAndNeverSeenAgain) {
  const std::string id = create(hook("a", kKey));
  EXPECT_EQ(call("a"), 401);
  EXPECT_EQ(call("a", {{"x-key", "open sesame"}}), 202);
  const std::string document = to_text(view(id).row.document);
  EXPECT_EQ(document.find("sesame"), std::string::npos);
  EXPECT_NE(document.find(R"("secret":{"set":true,"changedAt":")"), std::string::npos);
  const auto versions = control([&] { return engine_->versions(id); });
  EXPECT_EQ(to_text(versions->at(0).document).find("sesame"), std::string::npos);
  close();
  for (const auto& file : std::filesystem::directory_iterator(dir_)) {
    if (!file.is_regular_file()) continue;
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find("sesame"), std::string::npos) << file.path();
  }
  open();
  EXPECT_EQ(call("a", {{"x-key", "open sesame"}}), 202);
}

TEST_F(EngineTriggers, ASecretStaysWhenWhatWasReadIsWrittenBack) {
  const std::string id = create(hook("a", kKey));
  Json nodes = get_member(view(id).row.document, "nodes");
  Json patch = json_object();
  patch.insert_or_assign("nodes", nodes);
  patch.insert_or_assign("description", "changed");
  EXPECT_EQ(update(id, to_text(patch)), "");
  EXPECT_EQ(call("a", {{"x-key", "open sesame"}}), 202);
  nodes[0].at("settings").insert_or_assign("secret", "another");
  patch.insert_or_assign("nodes", nodes);
  EXPECT_EQ(update(id, to_text(patch)), "");
  EXPECT_EQ(call("a", {{"x-key", "open sesame"}}), 401);
  EXPECT_EQ(call("a", {{"x-key", "another"}}), 202);
  nodes[0].at("settings").erase("secret");
  patch.insert_or_assign("nodes", nodes);
  EXPECT_EQ(update(id, to_text(patch)), "/nodes/0/settings/secret required");
}

TEST_F(EngineTriggers, AnExportedDocumentNeedsItsSecretAgain) {
  const std::string id = create(hook("a", kKey));
  Json body = view(id).row.document;
  body.insert_or_assign("name", "copy");
  control([&] { return engine_->remove(id, Actor{}); });
  EXPECT_EQ(create(to_text(body)), "/nodes/0/settings/secret required");
}

TEST_F(EngineTriggers, ASecretMayStandElsewhere) {
  ::setenv("TRIBUTARY_TEST_HOOK", "from outside", 1);
  create(hook("a", R"(, "authentication": {"type": "header", "header": "X-Key"},
                      "secret": "env:TRIBUTARY_TEST_HOOK")"));
  EXPECT_EQ(call("a", {{"x-key", "from outside"}}), 202);
  EXPECT_EQ(call("a", {{"x-key", "env:TRIBUTARY_TEST_HOOK"}}), 401);
  ::unsetenv("TRIBUTARY_TEST_HOOK");
  EXPECT_EQ(call("a", {{"x-key", ""}}), 503);  // never open because nothing can be checked
}

TEST_F(EngineTriggers, ASignedCallIsTakenOnce) {
  create(
      hook("a", R"(, "authentication": {"type": "hmac", "header": "X-Signature", "format": "list",
                      "prefix": "v1="}, "secret": "key")"));
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.utc_now().time_since_epoch()).count();
  const std::string text = std::to_string(now) + ".{}";
  std::string code;
  for (const char c : hooks::hmac(hooks::Algorithm::kSha256, Secret("key"), text))
    code += fmt::format("{:02x}", static_cast<unsigned char>(c));
  const std::string header = fmt::format("t={},v1={}", now, code);
  EXPECT_EQ(call("a", {{"x-signature", header}}), 202);
  EXPECT_EQ(call("a", {{"x-signature", header}}), 401);
  EXPECT_EQ(call("a", {{"x-signature", header}}, "[]"), 401);
}

TEST_F(EngineTriggers, TwoPipelinesCannotHaveOneAddress) {
  create(hook("a"));
  EXPECT_EQ(create(hook("a")), "/nodes/0/settings/path path_taken");
  EXPECT_EQ(create(hook("a", R"(, "methods": ["GET"])")).find('/'), std::string::npos);
}

TEST_F(EngineTriggers, TwoThatAreSavedAtOnceCannotEither) {
  std::vector<std::future<Outcome<PipelineView>>> saving;
  for (int i = 0; i < 10; ++i) {
    auto save = [this, body = json(hook("a"))] {
      return engine_->create(body, Actor{"tester"}, false);
    };
    saving.push_back(asio::co_spawn(runtime_->control(), save, asio::use_future));
  }
  int made = 0;
  for (auto& one : saving) made += one.get().has_value() ? 1 : 0;
  EXPECT_EQ(made, 1);
}

TEST_F(EngineTriggers, APipelineStartsWhenAnotherHasRun) {
  const std::string first = create(hook("a"));
  const std::string second = create(
      R"({"name": "second", "enabled": true, "nodes": [{"id": "t", "type": "trigger.pipeline",
          "settings": {"pipelineId": ")" +
      first + R"("}}]})");
  EXPECT_EQ(call("a"), 202);
  wait_for([&] { return view(second).records_in == 1; });
  // The other way round it would go in a circle.
  EXPECT_EQ(update(first, R"({"nodes": [{"id": "t", "type": "trigger.pipeline",
      "settings": {"pipelineId": ")" +
                              second + R"("}}]})"),
            "/nodes/0/settings/pipelineId pipeline_circle");
  close();
  open();
  EXPECT_EQ(call("a"), 202);
  wait_for([&] { return view(second).records_in == 1; });
  control([&] { return engine_->remove(first, Actor{}); });
  wait_for([&] { return view(second).status == "failing"; });
  EXPECT_EQ(view(second).error->code, "unknown_pipeline");
}

TEST_F(EngineTriggers, AnErrorStartsOtherPipelinesAndNeverItsOwn) {
  ask([&] {
    port_->answer = [](const Call&) {
      return Result<Batch>(fail(ErrorClass::kFunction, "refused", "No."));
    };
    return true;
  });
  const std::string failing = create(
      R"({"name": "failing", "enabled": true, "nodes": [{"id": "t", "type": "trigger.webhook", "settings": {"path": "a"}},
          {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "d"}]})");
  const auto watcher = [&](std::string_view name) {
    return create(
        R"({"name": ")" + std::string(name) +
        R"(", "enabled": true, "nodes": [{"id": "t", "type": "trigger.error", "settings": {"debounceMs": 0}},
          {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "d"}]})");
  };
  const std::string one = watcher("one");
  const std::string two = watcher("two");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call("a"), 202);
  wait_for([&] { return view(failing).errors == 3; });
  // Both fail with every record that they get, and neither tells the other.
  wait_for([&] { return view(one).errors >= 1 && view(two).errors >= 1; });
  std::this_thread::sleep_for(100ms);
  EXPECT_LE(view(one).records_in, 3);
  EXPECT_LE(view(two).records_in, 3);
}

TEST_F(EngineTriggers, AThousandSchedulesRunOnTheThreadsThatAreThere) {
  const auto threads = [] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/task"))
      ++count;
    return count;
  };
  const std::size_t before = threads();
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(create(fmt::format(
        R"({{"name": "schedule {}", "enabled": true, "history": "off", "nodes": [{{"id": "t", "type": "trigger.schedule",
          "settings": {{"cron": "* * * * * *"}}}}]}})",
        i)));
  }
  wait_for([&] { return view(ids.back()).records_in > 0; });
  EXPECT_EQ(threads(), before);
  EXPECT_EQ(view(ids.front()).triggers.at(0).next_runs.size(), 5u);
}

}  // namespace
}  // namespace tributary::orchestrate
