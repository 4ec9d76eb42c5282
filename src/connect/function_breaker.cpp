#include "connect/function_breaker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::connect {

namespace {

// The window is counted in so many parts: bounded memory, and calls leave it in small portions.
constexpr std::size_t kWindowParts = 12;
// A caller that is turned away while the probe runs may ask again this soon.
constexpr Duration kProbePatience{std::chrono::seconds{1}};

// Mistakes that connectors find before they send anything: the peer has no part in them.
constexpr std::array<std::string_view, 4> kCallersMistakes = {
    "missing_parameter", "invalid_parameters", "missing_value", "queue_full"};

bool is_callers_mistake(const Error& error) {
  return error.pointer.starts_with("/parameters") ||
         std::ranges::find(kCallersMistakes, error.code) != kCallersMistakes.end();
}

// The first error of a batch in which the peer gave nothing at all.
std::shared_ptr<const Error> whole_failure(const Batch& batch) {
  if (!batch.is_scans()) return nullptr;
  std::shared_ptr<const Error> first;
  for (const Scan& scan : batch.scans()) {
    for (const Sample& sample : scan.samples) {
      const bool refused = sample.quality.is_bad() && sample.error &&
                           sample.error->error_class == ErrorClass::kFunction;
      if (!refused) return nullptr;
      if (!first) first = sample.error;
    }
  }
  return first;
}

class Window {
 public:
  void add(bool failure, const FunctionBreakerPolicy& policy, SteadyTime now) {
    const std::int64_t number = part_of(policy, now);
    Part& part = parts_[static_cast<std::size_t>(number) % kWindowParts];
    if (part.number != number) part = {number, 0, 0};
    ++part.calls;
    if (failure) ++part.failures;
  }
  bool is_over(const FunctionBreakerPolicy& policy, SteadyTime now) const {
    const std::int64_t newest = part_of(policy, now);
    int calls = 0;
    int failures = 0;
    for (const Part& part : parts_) {
      if (part.number + static_cast<std::int64_t>(kWindowParts) <= newest) continue;
      calls += part.calls;
      failures += part.failures;
    }
    return calls >= policy.minimum_calls && failures >= policy.failure_ratio * calls;
  }

 private:
  struct Part {
    std::int64_t number = -static_cast<std::int64_t>(kWindowParts);
    int calls = 0;
    int failures = 0;
  };
  static std::int64_t part_of(const FunctionBreakerPolicy& policy, SteadyTime now) {
    const auto width =
        std::max<Duration>(Duration{1}, policy.window / static_cast<int>(kWindowParts));
    return now.time_since_epoch() / width;
  }
  std::array<Part, kWindowParts> parts_{};
};

Error refusal(const std::shared_ptr<const Error>& last, Duration wait) {
  const auto milliseconds =
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(wait).count());
  Error error(ErrorClass::kBusy, "function_breaker_open",
              fmt::format("The function failed again and again and is left alone for a while. "
                          "The last failure: {}",
                          last ? last->message : "none was recorded"),
              last && !last->hint.empty() ? last->hint
                                          : "Correct the function: an edit ends its rest at once.");
  error.retry_after_ms = milliseconds;
  return error;
}

}  // namespace

std::string_view to_string(FunctionBreakerState state) {
  switch (state) {
    case FunctionBreakerState::kClosed:
      return "closed";
    case FunctionBreakerState::kOpen:
      return "open";
    case FunctionBreakerState::kHalfOpen:
      return "half-open";
  }
  return "closed";
}

struct FunctionBreaker::Core {
  FunctionBreakerPolicy policy;
  View view;
  // Raised with every change of state: what belongs to an older one counts for nothing.
  std::uint64_t generation = 0;
  SteadyTime probe_deadline;
  std::shared_ptr<const Error> last;
  Window window;
  Observer observer;

  void tell() const {
    if (observer) observer(view);
  }
  void become(FunctionBreakerState state) {
    ++generation;
    view.state = state;
  }
  void open(SteadyTime now) {
    become(FunctionBreakerState::kOpen);
    view.open_until = now + policy.open;
  }
  void close() {
    become(FunctionBreakerState::kClosed);
    view.consecutive_failures = 0;
    view.open_until.reset();
    window = {};
  }
  void succeeded(SteadyTime now) {
    const bool changed =
        view.state != FunctionBreakerState::kClosed || view.consecutive_failures != 0;
    if (view.state == FunctionBreakerState::kHalfOpen) close();
    view.consecutive_failures = 0;
    last.reset();
    window.add(false, policy, now);
    if (changed) tell();
  }
  void failed(const Error& error, SteadyTime now) {
    ++view.consecutive_failures;
    last = std::make_shared<const Error>(error);
    window.add(true, policy, now);
    const bool opens = view.state == FunctionBreakerState::kHalfOpen ||
                       view.consecutive_failures >= policy.consecutive_failures ||
                       window.is_over(policy, now);
    if (opens) open(now);
    tell();
  }
  void cancelled() {
    // The rest is over all the same: the next caller makes the probe.
    if (view.state != FunctionBreakerState::kHalfOpen) return;
    become(FunctionBreakerState::kOpen);
    tell();
  }
};

FunctionBreaker::Permit::~Permit() {
  if (core_ && core_->generation == generation_) core_->cancelled();
}

void FunctionBreaker::Permit::succeeded(SteadyTime now) {
  const auto core = std::exchange(core_, nullptr);
  if (core && core->generation == generation_) core->succeeded(now);
}

void FunctionBreaker::Permit::failed(const Error& error, SteadyTime now) {
  const auto core = std::exchange(core_, nullptr);
  if (core && core->generation == generation_) core->failed(error, now);
}

FunctionBreaker::FunctionBreaker(FunctionBreakerPolicy policy, Observer observer)
    : core_(std::make_shared<Core>()) {
  core_->policy = policy;
  core_->observer = std::move(observer);
}

void FunctionBreaker::set_policy(const FunctionBreakerPolicy& policy) {
  core_->policy = policy;
}

Result<FunctionBreaker::Permit> FunctionBreaker::ask(SteadyTime now, SteadyTime probe_deadline) {
  Core& core = *core_;
  if (core.view.state == FunctionBreakerState::kHalfOpen && now >= core.probe_deadline) {
    core.open(core.probe_deadline);
    core.tell();
  }
  if (core.view.state == FunctionBreakerState::kHalfOpen)
    return fail(refusal(core.last, std::min(kProbePatience, core.probe_deadline - now)));
  if (core.view.state == FunctionBreakerState::kOpen) {
    if (now < *core.view.open_until) return fail(refusal(core.last, *core.view.open_until - now));
    core.become(FunctionBreakerState::kHalfOpen);
    core.probe_deadline = probe_deadline;
    core.tell();
  }
  return Permit(core_, core.generation);
}

FunctionBreaker::View FunctionBreaker::view() const {
  return core_->view;
}

std::shared_ptr<const Error> FunctionBreaker::last_failure() const {
  return core_->last;
}

void FunctionBreaker::reset() {
  core_->close();
  core_->last.reset();
  core_->tell();
}

Judgement judge(const Result<Batch>& result) {
  if (result) {
    if (auto failure = whole_failure(*result)) return {Verdict::kFailure, std::move(failure)};
    return {Verdict::kSuccess, nullptr};
  }
  const Error& error = result.error();
  const bool refused = error.error_class == ErrorClass::kFunction && !is_callers_mistake(error);
  // The peer let the time of this call pass. That costs the session, too, and the connection counts
  // it for itself.
  const bool timed_out = error.error_class == ErrorClass::kTransient && error.code == "timeout";
  if (refused || timed_out) return {Verdict::kFailure, std::make_shared<const Error>(error)};
  return {Verdict::kNeither, nullptr};
}

void report(FunctionBreaker::Permit& permit, const Judgement& judgement, SteadyTime now) {
  if (judgement.verdict == Verdict::kSuccess) permit.succeeded(now);
  if (judgement.verdict == Verdict::kFailure) permit.failed(*judgement.failure, now);
}

}  // namespace tributary::connect
