// The circuit breaker of one function: a call that fails again and again is left alone for a while,
// and the connection and its other functions go on. It never touches the connection's own breaker
// (lifecycle §3, invariant 8). Pure: what happened goes in, whether a call may be made comes out.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/batch.hpp"

namespace tributary::connect {

// Lifecycle §5; editable per profile ("reconnect": {"functionBreaker": …}).
struct FunctionBreakerPolicy {
  int consecutive_failures = 5;
  double failure_ratio = 0.5;  // of the calls in the window, when there are enough of them
  int minimum_calls = 20;
  Duration window{std::chrono::seconds{60}};
  Duration open{std::chrono::seconds{30}};
};

enum class FunctionBreakerState : std::uint8_t { kClosed, kOpen, kHalfOpen };
std::string_view to_string(FunctionBreakerState state);

// Lives on one executor.
class FunctionBreaker {
  struct Core;

 public:
  struct View {
    FunctionBreakerState state = FunctionBreakerState::kClosed;
    int consecutive_failures = 0;
    std::optional<SteadyTime> open_until;
  };
  // Told after every change.
  using Observer = std::function<void(const View& view)>;

  // The right to make one call. Its end is always told: whoever drops it without a word has
  // cancelled the call, which is nobody's success and nobody's failure (edge case 23). What is told
  // after the breaker has moved on counts for nothing.
  class Permit {
   public:
    Permit(std::shared_ptr<Core> core, std::uint64_t generation)
        : core_(std::move(core)), generation_(generation) {}
    Permit(Permit&&) = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit();

    void succeeded(SteadyTime now);
    void failed(const Error& error, SteadyTime now);

   private:
    std::shared_ptr<Core> core_;  // null once told
    std::uint64_t generation_;
  };

  explicit FunctionBreaker(FunctionBreakerPolicy policy = {}, Observer observer = {});
  void set_policy(const FunctionBreakerPolicy& policy);

  // May a call be made? After the rest exactly one may, the probe; one that was not told of by
  // `probe_deadline` has failed. Error: kBusy "function_breaker_open" with retry_after_ms and the
  // last failure in the message.
  Result<Permit> ask(SteadyTime now, SteadyTime probe_deadline);
  View view() const;
  // Why it opened, or would open next; null after a success.
  std::shared_ptr<const Error> last_failure() const;
  // Forgets everything: the function or its connection has new settings.
  void reset();

 private:
  std::shared_ptr<Core> core_;
};

// What a finished call says about its function.
enum class Verdict : std::uint8_t {
  kSuccess,
  kFailure,  // the peer refused it as a whole, or let its time pass
  kNeither,  // the caller's own mistake, or the connection's trouble
};
struct Judgement {
  Verdict verdict = Verdict::kNeither;
  std::shared_ptr<const Error> failure;  // with kFailure
};
Judgement judge(const Result<Batch>& result);
void report(FunctionBreaker::Permit& permit, const Judgement& judgement, SteadyTime now);

}  // namespace tributary::connect
