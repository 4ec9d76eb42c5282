// What the process and people ask for.
#include "connect/lifecycle/reducer.hpp"

namespace tributary::connect::lifecycle {

namespace {

bool at_rest(Status status) {
  return status == Status::kIdle || status == Status::kSuspended;
}

Error suspended_error(const std::optional<Suspension>& suspension) {
  return {ErrorClass::kFunction, "connection_suspended",
          fmt::format("The connection is suspended: {}",
                      suspension ? suspension->reason : std::string()),
          "Resume it first."};
}

bool says_the_same(const Suspension& present, const Suspension& wanted) {
  return std::tie(present.reason, present.until, present.then, present.window_id) ==
         std::tie(wanted.reason, wanted.until, wanted.then, wanted.window_id);
}

}  // namespace

// T1
void Reducer::operator()(const Created& event) {
  emit(RecordHistory{
      std::nullopt, Status::kIdle, state().epoch, {}, "created", event.by, inputs_.utc});
  state().status = Status::kIdle;
  state().since = inputs_.utc;
  emit(Publish{});
}

// T27, T1
void Reducer::operator()(const Booted& event) {
  std::optional<Status> from;
  if (event.last) {
    // A wall clock that was set back may put the end of the last run into the future.
    const UtcTime ended = std::min(event.last->ended, inputs_.utc);
    if (event.last->status != Status::kUnknown) {
      emit(RecordHistory{event.last->status,
                         Status::kUnknown,
                         event.last->epoch,
                         {},
                         "hub down",
                         {},
                         ended,
                         event.last->boot_id,
                         event.last->monotonic_ns});
    }
    from = Status::kUnknown;
    if (event.last->credentials_refused) state().identity_refusals = kIdentityTries - 1;
  }
  state().intent = event.intent;
  state().suspension = event.suspension;
  state().status = event.intent == Intent::kSuspended ? Status::kSuspended : Status::kIdle;
  state().since = inputs_.utc;
  emit(RecordHistory{from, state().status, state().epoch, {}, "boot", {}, inputs_.utc});
  emit(Publish{});
}

// T10 and its like for the other states; the intent stays
void Reducer::operator()(const Shutdown& /*event*/) {
  if (at_rest(state().status)) return answer(Answer::kAlreadySo);
  // Why it had failed is told once more: the next start of the hub looks at the last row.
  const auto cause = state().status == Status::kFailed ? state().cause : nullptr;
  rest(Status::kIdle, {"shutdown", {}, cause});
  answer(Answer::kDone);
}

// T2; T22 from Failed
void Reducer::operator()(const Start& event) {
  if (state().status == Status::kSuspended) return refuse(suspended_error(state().suspension));
  state().intent = Intent::kRunning;
  if (state().status == Status::kFailed) {
    renew("start", event.by);
    return answer(Answer::kDone);
  }
  if (state().status != Status::kIdle) return answer(Answer::kAlreadySo);
  state().attempt = 0;
  attempt(Status::kConnecting, {"start", event.by, {}}, event.delay, event.automatic, {});
  answer(Answer::kDone);
}

// T6, T10, T16, T20, T23
void Reducer::operator()(const Stop& event) {
  if (at_rest(state().status)) return answer(Answer::kAlreadySo);
  state().intent = Intent::kStopped;
  rest(Status::kIdle, {"stop", event.by, {}});
  answer(Answer::kDone);
}

void Reducer::operator()(const Restart& event) {
  if (state().status == Status::kSuspended) return refuse(suspended_error(state().suspension));
  state().intent = Intent::kRunning;
  if (state().status == Status::kIdle) {
    state().attempt = 0;
    attempt(Status::kConnecting, {"start", event.by, {}}, {}, false, {});
  } else {
    renew("restart", event.by);
  }
  answer(Answer::kDone);
}

// T7, T11, T16, T20, T23
void Reducer::operator()(const Suspend& event) {
  if (state().status == Status::kSuspended) return suspend_anew(event.suspension);
  if (state().status == Status::kIdle) {
    return refuse({ErrorClass::kFunction, "connection_not_running",
                   "The connection is idle: it sends nothing, so there is nothing to suspend.",
                   "Suspending is for connections that were started."});
  }
  state().intent = Intent::kSuspended;
  state().suspension = event.suspension;
  rest(Status::kSuspended,
       {fmt::format("suspended: {}", event.suspension.reason), event.suspension.by, {}});
  answer(Answer::kDone);
}

// T25, unless it says something new: no transition, but another reason and another end.
void Reducer::suspend_anew(const Suspension& wanted) {
  const auto& present = state().suspension;
  const bool of_a_person = present && present->window_id.empty();
  const bool by_a_window = !wanted.window_id.empty();
  if ((of_a_person && by_a_window) || (present && says_the_same(*present, wanted)))
    return answer(Answer::kAlreadySo);
  state().suspension = wanted;
  emit(Publish{});
  answer(Answer::kDone);
}

// T24
void Reducer::operator()(const Resume& event) {
  if (state().status != Status::kSuspended) return answer(Answer::kAlreadySo);
  const auto& present = state().suspension;
  if (event.only_of && (!present || present->at != *event.only_of))
    return answer(Answer::kAlreadySo);
  // Stored with this row, so that a hub that ends before the start makes up for it at boot.
  state().intent = event.then ? Intent::kRunning : Intent::kStopped;
  raise_epoch();
  close_breaker();
  reset_counters();
  state().suspension.reset();
  state().cause.reset();
  move_to(Status::kIdle, {"resume", event.by, {}});
  emit(Publish{});
  answer(Answer::kDone);
}

// T12, T15, T22
void Reducer::operator()(const ConfigChanged& event) {
  if (event.credentials) state().identity_refusals = 0;
  if (at_rest(state().status)) return answer(Answer::kAlreadySo);
  renew(event.credentials ? "credentials changed" : "configuration changed", event.by);
  answer(Answer::kDone);
}

void Reducer::renew(const std::string& note, const std::string& actor) {
  switch (state().status) {
    case Status::kConnected:  // T12
      release(kBadOutOfService, true);
      attempt(Status::kConnecting, {fmt::format("{}: {}", kMaintenanceNote, note), actor, {}}, {},
              false, kGracefulClose);
      return;
    case Status::kDisconnected:  // T15
      emit(CancelTimers{});
      clear_due();
      state().backoff_step = 0;
      attempt(Status::kConnecting, {note, actor, {}}, {}, false, {});
      return;
    case Status::kFailed:  // T22
      emit(CancelTimers{});
      clear_due();
      close_breaker();
      reset_counters();
      attempt(Status::kConnecting, {note, actor, {}}, {}, false, {});
      return;
    case Status::kConnecting:
    case Status::kReconnecting:
      // No transition: the attempt under way is replaced by one with the present settings. A probe
      // ends as cancelled.
      if (state().breaker.state == BreakerState::kHalfOpen) {
        close_breaker();
        reset_counters();
      }
      state().backoff_step = 0;
      attempt_again({});
      return;
    case Status::kIdle:
    case Status::kSuspended:
    case Status::kUnknown:
      return;
  }
}

// T26
void Reducer::operator()(const Delete& event) {
  const bool active = !at_rest(state().status);
  if (active && state().status != Status::kFailed && !event.forced) {
    return refuse({ErrorClass::kFunction, "connection_running", "The connection is running.",
                   "Stop it first, or delete it with force."});
  }
  if (active) {
    rest(Status::kIdle, {"deleted", event.by, {}});
  } else {
    raise_epoch();
    emit(CancelTimers{});
  }
  state().gone = true;
  emit(Retire{});
  answer(Answer::kDone);
}

void Reducer::operator()(const Undeleted& /*event*/) {
  if (!state().gone) return answer(Answer::kAlreadySo);
  state().gone = false;
  emit(Publish{});
  answer(Answer::kDone);
}

}  // namespace tributary::connect::lifecycle
