#include "tests/simulation/mutations.hpp"

#include <algorithm>
#include <limits>

namespace tributary::simulation {

namespace {

namespace lifecycle = connect::lifecycle;
using namespace connect::lifecycle;
using connect::HistoryLog;
using connect::ReduceFunction;
using connect::Seams;
using connect::Status;

std::shared_ptr<const Seams> reducing(ReduceFunction reduce) {
  auto seams = std::make_shared<Seams>();
  seams->reduce = std::move(reduce);
  return seams;
}

template <typename T>
void drop(Step& step) {
  std::erase_if(step.effects, [](const Effect& e) { return std::holds_alternative<T>(e); });
}

bool is_at_rest(Status status) {
  return status == Status::kIdle || status == Status::kSuspended;
}

// ---- attempts and timers ----

std::shared_ptr<const Seams> stop_leaves_the_timer() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (std::holds_alternative<Stop>(event)) drop<CancelTimers>(step);
        return step;
      });
}

// Whoever trusts that only the present timers fire need neither cancel them nor look at epochs.
std::shared_ptr<const Seams> timer_without_epoch() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        const auto* fired = std::get_if<TimerFired>(&event);
        Step step = fired ? reduce(state, TimerFired{fired->kind, state.epoch}, policy, inputs)
                          : reduce(state, event, policy, inputs);
        drop<CancelTimers>(step);
        return step;
      });
}

std::shared_ptr<const Seams> two_attempts_at_once() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        const bool renews = std::holds_alternative<Restart>(event) && state.attempting();
        if (renews) drop<CloseSession>(step);
        return step;
      });
}

// ---- people ----

std::shared_ptr<const Seams> resume_starts() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (!std::holds_alternative<Resume>(event) || step.answer != Answer::kDone) return step;
        Step start = reduce(step.next, Start{}, policy, inputs);
        step.next = start.next;
        for (auto& effect : start.effects) step.effects.push_back(std::move(effect));
        std::ranges::stable_partition(step.effects, [](const Effect& effect) {
          return std::holds_alternative<RecordHistory>(effect);
        });
        return step;
      });
}

std::shared_ptr<const Seams> counters_kept_on_resume() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (!std::holds_alternative<Resume>(event) || step.answer != Answer::kDone) return step;
        step.next.attempt = state.attempt;
        step.next.backoff_step = state.backoff_step;
        step.next.breaker.failures = state.breaker.failures;
        return step;
      });
}

std::shared_ptr<const Seams> suspension_forgotten_by_a_start() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        const auto* booted = std::get_if<Booted>(&event);
        if (!booted || booted->intent != Intent::kSuspended)
          return reduce(state, event, policy, inputs);
        return reduce(state, Booted{Intent::kStopped, std::nullopt, booted->last}, policy, inputs);
      });
}

std::shared_ptr<const Seams> suspend_without_goodbye() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (!std::holds_alternative<Suspend>(event)) return step;
        for (auto& effect : step.effects) {
          if (auto* close = std::get_if<CloseSession>(&effect)) close->graceful = false;
        }
        return step;
      });
}

std::shared_ptr<const Seams> suspend_leaves_the_session() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (std::holds_alternative<Suspend>(event)) drop<CloseSession>(step);
        return step;
      });
}

std::shared_ptr<const Seams> edit_starts_what_rests() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        if (std::holds_alternative<ConfigChanged>(event) && state.status == Status::kIdle)
          return reduce(state, Start{}, policy, inputs);
        return reduce(state, event, policy, inputs);
      });
}

// ---- counting ----

std::shared_ptr<const Seams> backoff_reset_at_once() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (std::holds_alternative<Opened>(event) && step.next.status == Status::kConnected) {
          step.next.backoff_step = 0;
          step.next.breaker.failures = 0;
        }
        return step;
      });
}

std::shared_ptr<const Seams> breaker_never_opens() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Policy endless = policy;
        endless.reconnect.failures_to_open = std::numeric_limits<int>::max();
        return reduce(state, event, endless, inputs);
      });
}

std::shared_ptr<const Seams> probe_never_released() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        const bool probing = state.breaker.state == BreakerState::kHalfOpen;
        Step step = reduce(state, event, policy, inputs);
        // Its permit is not given back: nobody may probe again.
        if (probing && step.next.status == Status::kFailed) {
          std::erase_if(step.effects, [](const Effect& effect) {
            const auto* arm = std::get_if<ArmTimer>(&effect);
            return arm && arm->kind == TimerKind::kCooldown;
          });
        }
        return step;
      });
}

std::shared_ptr<const Seams> identity_tried_for_ever() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        const auto* failed = std::get_if<OpenFailed>(&event);
        if (!failed || failed->error.error_class != ErrorClass::kIdentity)
          return reduce(state, event, policy, inputs);
        OpenFailed like_any_other = *failed;
        like_any_other.error.error_class = ErrorClass::kTransient;
        return reduce(state, like_any_other, policy, inputs);
      });
}

std::shared_ptr<const Seams> busy_counts_as_failure() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        const auto* failed = std::get_if<OpenFailed>(&event);
        const bool busy = failed && failed->error.error_class == ErrorClass::kBusy;
        if (busy && step.next.status == Status::kDisconnected) ++step.next.breaker.failures;
        return step;
      });
}

// ---- values and history ----

std::shared_ptr<const Seams> values_stay_good() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (std::holds_alternative<Lost>(event)) drop<MarkBad>(step);
        return step;
      });
}

std::shared_ptr<const Seams> row_lost() {
  return reducing(
      [](const auto& state, const lifecycle::Event& event, const Policy& policy, Inputs inputs) {
        Step step = reduce(state, event, policy, inputs);
        if (std::holds_alternative<Lost>(event) && is_at_rest(step.next.status) == false)
          drop<RecordHistory>(step);
        return step;
      });
}

// Says that rows are on the disk before they are.
class HastyLog final : public HistoryLog {
 public:
  explicit HastyLog(std::unique_ptr<HistoryLog> log) : log_(std::move(log)) {}
  void append(std::vector<store::HistoryRow> rows, std::optional<store::ConnectionRow> intent,
              std::move_only_function<void(Result<void>)> done) override {
    log_->append(std::move(rows), std::move(intent), [](const Result<void>&) {});
    done(Result<void>{});
  }
  const std::string& boot_id() const override { return log_->boot_id(); }

 private:
  std::unique_ptr<HistoryLog> log_;
};

std::shared_ptr<const Seams> effects_before_the_disk() {
  auto seams = std::make_shared<Seams>();
  seams->wrap_log = [](std::unique_ptr<HistoryLog> log) {
    return std::unique_ptr<HistoryLog>(std::make_unique<HastyLog>(std::move(log)));
  };
  return seams;
}

constexpr Mutation kMutations[] = {
    {"stop-leaves-the-timer", "stop does not cancel the armed timer", stop_leaves_the_timer},
    {"timer-without-epoch", "timers are neither cancelled nor told apart by epoch",
     timer_without_epoch},
    {"two-attempts-at-once", "a restart does not give up the attempt under way",
     two_attempts_at_once},
    {"resume-starts", "resume starts the connection", resume_starts},
    {"counters-kept-on-resume", "resume does not clear the counters", counters_kept_on_resume},
    {"suspension-forgotten", "a suspended connection is Idle after a start of the hub",
     suspension_forgotten_by_a_start},
    {"suspend-without-goodbye", "suspend closes hard", suspend_without_goodbye},
    {"suspend-leaves-the-session", "suspend does not close the session",
     suspend_leaves_the_session},
    {"edit-starts-what-rests", "an edit starts an idle connection", edit_starts_what_rests},
    {"backoff-reset-at-once", "the backoff starts small again as soon as it is Connected",
     backoff_reset_at_once},
    {"breaker-never-opens", "failures are counted and nothing follows", breaker_never_opens},
    {"probe-never-released", "a probe that fails keeps its permit", probe_never_released},
    {"identity-tried-for-ever", "a refused password is treated like a pulled cable",
     identity_tried_for_ever},
    {"busy-counts-as-failure", "a busy peer opens the breaker", busy_counts_as_failure},
    {"values-stay-good", "values are not marked bad at a loss", values_stay_good},
    {"row-lost", "a loss is not written to history", row_lost},
    {"effects-before-the-disk", "effects do not wait until history is durable",
     effects_before_the_disk},
};

}  // namespace

std::span<const Mutation> mutations() {
  return kMutations;
}

const Mutation* find_mutation(std::string_view name) {
  const auto found = std::ranges::find(kMutations, name, &Mutation::name);
  return found == std::end(kMutations) ? nullptr : &*found;
}

}  // namespace tributary::simulation
