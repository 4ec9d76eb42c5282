// Suspensions that end by themselves: exactly, after a restart, and when the wall clock was set.
#include "connect/manager_impl.hpp"
#include "runtime/log.hpp"

namespace tributary::connect {

namespace {

// Who ends a suspension that a person gave an end; a maintenance window signs for itself.
constexpr std::string_view kEnd = "end of suspension";
// An end that is further away is looked for again by then; a timer cannot hold every date.
constexpr std::chrono::hours kFarthestLook{24};

}  // namespace

void Manager::Impl::look_for_ends() {
  if (std::exchange(ends_posted, true)) return;
  asio::post(runtime.control(), [impl = alive] {
    if (!*impl) return;
    (*impl)->ends_posted = false;
    (*impl)->end_what_is_due();
  });
}

void Manager::Impl::end_what_is_due() {
  if (closing) return;
  next_end.reset();
  const UtcTime now = runtime.clock().utc_now();
  UtcTime next = now + kFarthestLook;
  std::vector<std::pair<std::string, Suspension>> due;
  for (const auto& [id, entry] : connections) {
    const auto& suspension = entry.state.suspension;
    if (entry.state.status != Status::kSuspended || !suspension || !suspension->until) continue;
    if (*suspension->until <= now) {
      due.emplace_back(id, *suspension);
    } else {
      next = std::min(next, *suspension->until);
    }
  }
  // Many that end together are spread like the starts of a hub.
  const auto spread =
      static_cast<std::uint64_t>(std::max<Duration::rep>(1, options.start_spread.count()));
  for (auto& [id, suspension] : due) {
    const Duration delay{due.size() > 1 ? static_cast<Duration::rep>(random.next() % spread) : 0};
    spawn(runtime.control(),
          [](std::shared_ptr<Impl*> impl, std::string connection, Suspension over,
             Duration wait) -> Task<void> {
            if (!*impl) co_return;
            auto ended = co_await (*impl)->end_suspension(connection, std::move(over), wait);
            if (!ended && ended.error().code != "not_found")
              log::warning("connect", "A suspension could not be ended; it will be tried again.",
                           {{"connection", connection}, {"error", ended.error().message}});
          }(alive, id, std::move(suspension), delay));
  }
  next_end = runtime.timers().at(runtime.control(), runtime.clock().steady_now() + (next - now),
                                 [this] { end_what_is_due(); });
}

Task<Result<void>> Manager::Impl::end_suspension(std::string id, Suspension suspension,
                                                 Duration start_delay) {
  lifecycle::Resume resume;
  resume.by = suspension.window_id.empty() ? std::string(kEnd) : suspension.by;
  resume.only_of = suspension.at;
  if (suspension.then == AfterSuspension::kResumeAndStart)
    resume.then = lifecycle::Start{resume.by, start_delay, true};
  lifecycle::Event event = std::move(resume);
  auto ended = co_await command(std::move(id), std::move(event));
  if (!ended) co_return fail(std::move(ended.error()));
  co_return Result<void>{};
}

WindowHost Manager::Impl::window_host() {
  WindowHost host;
  host.targets = [this] {
    std::vector<WindowTarget> targets;
    for (const auto& [id, entry] : connections) {
      if (!entry.actor) continue;
      const Status status = entry.state.status;
      // Idle with the intent to run: just before its start at boot.
      const bool running =
          status == Status::kIdle ? entry.row.intent == "running" : status != Status::kSuspended;
      const auto& suspension = entry.state.suspension;
      targets.push_back({&entry.row, running, suspension ? &*suspension : nullptr});
    }
    return targets;
  };
  host.suspend = [this](std::string id, Suspension suspension) {
    lifecycle::Event event = lifecycle::Suspend{std::move(suspension)};
    return give(std::move(id), std::move(event));
  };
  host.end = [this](std::string id, Suspension suspension) {
    return end_suspension(std::move(id), std::move(suspension), {});
  };
  return host;
}

Task<Result<void>> Manager::Impl::give(std::string id, lifecycle::Event event) {
  auto done = co_await command(std::move(id), std::move(event));
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

}  // namespace tributary::connect
