// One loop, real clock, real timers and real TCP: what a session needs to run inside a test.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "http/client.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "runtime/timers.hpp"
#include "sdk/connector.hpp"

namespace tributary::test {

// Remembers what a session said about itself.
class RecordingEvents final : public sdk::SessionEvents {
 public:
  void lost(Error error) override { losses.push_back(std::move(error)); }
  void certificate_shown(const net::ShownCertificate& shown) override {
    certificates.push_back(shown);
  }
  std::vector<Error> losses;
  std::vector<net::ShownCertificate> certificates;
};

// Remembers the stages of opening, in order.
class RecordingStages final : public net::StageObserver {
 public:
  void begin(std::string_view stage) override { stages.emplace_back(stage); }
  std::vector<std::string> stages;
};

// A task that was started on the loop and is driven by hand. The context must outlive it.
template <typename T>
class Running {
 public:
  bool done() const { return state_->done; }
  // The task's value; rethrows what left it. Only when done().
  T take() {
    if (state_->failure) std::rethrow_exception(state_->failure);
    if constexpr (!std::is_void_v<T>) return std::move(*state_->value);
  }

 private:
  friend class TestContext;
  struct Empty {};
  struct State {
    bool done = false;
    std::exception_ptr failure;
    std::conditional_t<std::is_void_v<T>, Empty, std::optional<T>> value{};
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class TestContext {
 public:
  TestContext();
  ~TestContext();
  TestContext(const TestContext&) = delete;
  TestContext& operator=(const TestContext&) = delete;

  asio::io_context& loop() { return loop_; }
  Executor executor() { return loop_.get_executor(); }
  SystemClock& clock() { return clock_; }
  Timers& timers() { return *timers_; }
  net::Network& network() { return *network_; }
  RecordingEvents& events() { return events_; }
  RecordingStages& stages() { return stages_; }
  sdk::SessionContext session_context() {
    return {executor(), clock_, *timers_, *network_, events_, &http()};
  }
  // May send to this machine's port, besides everything that the guard allows anyway.
  void allow_egress(std::uint16_t port);
  http::Client& http();
  // A deadline this far from now.
  SteadyTime in(Duration duration) const { return clock_.steady_now() + duration; }

  // Starts a task without running the loop.
  template <typename T>
  Running<T> start(Task<T> task) {
    Running<T> running;
    auto state = running.state_;
    if constexpr (std::is_void_v<T>) {
      asio::co_spawn(loop_, std::move(task), [state](std::exception_ptr failure) {
        state->failure = failure;
        state->done = true;
      });
    } else {
      asio::co_spawn(loop_, std::move(task), [state](std::exception_ptr failure, T value) {
        state->failure = failure;
        if (!failure) state->value.emplace(std::move(value));
        state->done = true;
      });
    }
    return running;
  }
  // Runs the loop until the condition holds; false when the limit came first.
  bool run_until(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(10));
  // Runs one handler of the loop, waiting at most `limit` for it; false when there was none.
  bool step(Duration limit = std::chrono::seconds(10));
  // Runs everything that is ready now, without waiting.
  void drain();

  // Starts a task, runs the loop until it is over and gives its value. Throws when the limit comes
  // first: a test that hangs is a failed test with a name, not a stuck run.
  template <typename T>
  T run(Task<T> task, Duration limit = std::chrono::seconds(10)) {
    Running<T> running = start(std::move(task));
    return finish(running, limit);
  }
  template <typename T>
  T finish(Running<T>& running, Duration limit = std::chrono::seconds(10)) {
    if (!run_until([&] { return running.done(); }, limit))
      throw std::runtime_error("the task did not end in time");
    return running.take();
  }

 private:
  asio::io_context loop_{1};
  SystemClock clock_;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<net::Network> network_;
  RecordingEvents events_;
  RecordingStages stages_;
  std::vector<http::AllowedTarget> egress_;
  std::unique_ptr<http::Client> http_;
};

// Descriptors this process has open.
std::size_t open_descriptors();
// Resident memory of this process in bytes.
std::size_t resident_bytes();

}  // namespace tributary::test
