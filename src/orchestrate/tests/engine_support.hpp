// A front desk with a real store and real threads; connections are scripted.
#pragma once

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>

#include "orchestrate/engine.hpp"
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "orchestrate-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    open();
  }
  ~EngineTest() override {
    close();
    std::filesystem::remove_all(dir_);
  }

  // Runs a task on the control executor and waits for it.
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
    runtime_ = std::make_unique<Runtime>(2, clock_, *timers_);
    auto port = std::make_unique<FakePort>();
    port_ = port.get();
    port_->timers = timers_.get();
    port_->add("sub", sdk::FunctionKind::kSubscribe);
    port_->add("write", sdk::FunctionKind::kWrite);
    engine_ = std::make_unique<Engine>(*runtime_, *store_, std::move(port), &spool_);
    const auto loaded = engine_->load();
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
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

  Outcome<PipelineView> create(std::string_view body, bool dry_run = false) {
    const Json document = json(body);
    return control([&]() { return engine_->create(document, Actor{"tester"}, dry_run); });
  }
  PipelineView created(std::string_view body) {
    auto made = create(body);
    EXPECT_TRUE(made.has_value());
    return made ? *made : PipelineView{};
  }
  PipelineView view(const std::string& id) {
    return ask([&] { return engine_->pipeline(id); }).value_or(PipelineView{});
  }
  std::string error_code(const std::variant<Error, connect::Invalid>& error) {
    if (const auto* plain = std::get_if<Error>(&error)) return plain->code;
    const auto& errors = std::get<connect::Invalid>(error).errors;
    return errors.empty() ? "" : errors[0].pointer + " " + errors[0].code;
  }
  Result<void> deliver(const std::string& function, std::vector<Record> records) {
    auto consumer = ask([&] { return port_->consumers[function].lock(); });
    if (!consumer)
      return fail(ErrorClass::kInternal, "no_consumer", "Nobody consumes this function.");
    auto batch = std::make_shared<const Batch>(Batch::of(std::move(records)));
    return control([consumer, batch]() -> Task<Result<void>> {
      const Origin origin{"Line 3", "sub"};
      co_return co_await (*consumer)(batch, origin);
    });
  }

  std::string dir_;
  SystemClock clock_;
  std::unique_ptr<Timers> timers_ = make_system_timers();
  MemorySpool spool_{clock_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Runtime> runtime_;
  FakePort* port_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace tributary::orchestrate
