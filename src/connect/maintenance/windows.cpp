#include "connect/maintenance/windows.hpp"

#include "runtime/log.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

namespace {

// Occurrences of one window that are kept in sight; more than can overlap.
constexpr std::size_t kLookAhead = 10;
// A timer cannot hold every date; heartbeats come in between anyway.
constexpr std::chrono::hours kFarthestLook{24};

}  // namespace

const std::vector<Occurrence>& MaintenanceWindows::Window::upcoming_at(UtcTime now) const {
  const bool fresh =
      looked_at && *looked_at <= now && (upcoming.empty() || now < upcoming.front().to);
  if (!fresh) {
    upcoming = occurrences(definition.rule, definition.zone, now, kLookAhead);
    looked_at = now;
  }
  return upcoming;
}

std::optional<Occurrence> MaintenanceWindows::Window::active_at(UtcTime now) const {
  std::optional<Occurrence> active;
  if (!definition.enabled) return active;
  for (const auto& occurrence : upcoming_at(now)) {
    const bool holds = occurrence.from <= now && now < occurrence.to;
    if (holds && (!active || active->to < occurrence.to)) active = occurrence;
  }
  return active;
}

std::optional<Occurrence> MaintenanceWindows::Window::next_after(UtcTime now) const {
  if (!definition.enabled) return std::nullopt;
  for (const auto& occurrence : upcoming_at(now)) {
    if (occurrence.from > now) return occurrence;
  }
  return std::nullopt;
}

MaintenanceWindows::MaintenanceWindows(Executor control, Clock& clock, Timers& timers,
                                       store::Store& store, WindowHost host)
    : control_(control),
      clock_(clock),
      timers_(timers),
      store_(store),
      host_(std::move(host)),
      mutations_(control),
      alive_(std::make_shared<MaintenanceWindows*>(this)) {}

MaintenanceWindows::~MaintenanceWindows() {
  *alive_ = nullptr;
}

void MaintenanceWindows::close() {
  closed_ = true;
  timer_.reset();
}

Result<void> MaintenanceWindows::load() {
  std::vector<store::MaintenanceWindowRow> rows;
  TRIBUTARY_TRY(store_.read_now([&rows](soci::session& sql) -> Result<void> {
    auto all = store::MaintenanceWindows::all(sql);
    if (!all) return fail(std::move(all.error()));
    rows = *std::move(all);
    return {};
  }));
  for (auto& row : rows) {
    const std::string id = row.id;
    auto window = make(std::move(row));
    if (window) {
      windows_.emplace(id, *std::move(window));
    } else {
      // A zone that this system does not have (any more).
      log::error("connect", "A maintenance window cannot be used.",
                 {{"window", id}, {"error", window.error().message}});
    }
  }
  return {};
}

Result<MaintenanceWindows::Window> MaintenanceWindows::make(store::MaintenanceWindowRow row) const {
  std::vector<schema::FieldError> errors;
  auto definition = parse_window(window_body(row), errors);
  if (!definition) {
    return fail(ErrorClass::kConfiguration, "invalid_window", errors.front().message, {},
                errors.front().pointer);
  }
  return Window{std::move(row), *std::move(definition), {}, std::nullopt};
}

void MaintenanceWindows::check() {
  if (closed_) return;
  const UtcTime time = now();
  UtcTime next = time + kFarthestLook;
  // What a window held when the hub went down is looked at once.
  if (!std::exchange(settled_, true)) settle({});
  for (auto& [id, window] : windows_) {
    const auto active = window.active_at(time);
    if (active && window.row.applied_from != active->from) begin(window);
    if (active) next = std::min(next, active->to);
    if (const auto coming = window.next_after(time)) next = std::min(next, coming->from);
  }
  timer_ = timers_.at(control_, clock_.steady_now() + (next - time), [this] { check(); });
}

bool MaintenanceWindows::about_to_hold(const store::ConnectionRow& row) const {
  const UtcTime time = now();
  return std::ranges::any_of(windows_, [&](const auto& item) {
    const auto active = item.second.active_at(time);
    return active && item.second.row.applied_from != active->from &&
           item.second.definition.targets.matches(row);
  });
}

void MaintenanceWindows::begin(Window& window) {
  const Occurrence occurrence = *window.active_at(now());
  const auto& definition = window.definition;
  Suspension suspension{definition.suspension_reason(),
                        definition.actor(),
                        now(),
                        occurrence.to,
                        definition.then,
                        window.row.id};
  std::vector<std::string> ids;
  for (const auto& target : host_.targets()) {
    if (!definition.targets.matches(*target.row)) continue;
    // A person's suspension stays; of two windows the one that ends later holds.
    const bool of_a_window = target.suspension && !target.suspension->window_id.empty();
    const bool ends_earlier = of_a_window && target.suspension->until < occurrence.to;
    if (target.suspension ? ends_earlier : target.running) ids.push_back(target.row->id);
  }
  log::info("connect", "A maintenance window begins.",
            {{"window", definition.name}, {"connections", std::to_string(ids.size())}});
  window.row.applied_from = occurrence.from;
  spawn(control_, carry_out(window.row.id, std::move(ids), std::move(suspension), occurrence.from));
}

Task<void> MaintenanceWindows::carry_out(std::string window_id, std::vector<std::string> ids,
                                         Suspension suspension, UtcTime occurrence) {
  const auto alive = alive_;
  struct Rest {
    explicit Rest(Executor executor) : done(executor) {}
    std::size_t left = 0;
    bool failed = false;
    Event done;
  };
  auto rest = std::make_shared<Rest>(control_);
  rest->left = ids.size();
  for (const auto& id : ids) {
    auto one = [](std::shared_ptr<MaintenanceWindows*> self, std::string connection,
                  Suspension wanted, std::shared_ptr<Rest> counter) -> Task<void> {
      if (*self) {
        Result<void> done = co_await (*self)->host_.suspend(connection, wanted);
        // One that went idle or away meanwhile sends nothing anyway.
        if (!done && done.error().error_class == ErrorClass::kInternal) {
          counter->failed = true;
          log::error("connect", "A connection could not be suspended for maintenance.",
                     {{"connection", connection}, {"error", done.error().message}});
        }
      }
      if (--counter->left == 0) counter->done.set();
    };
    spawn(control_, one(alive, id, suspension, rest));
  }
  if (!ids.empty()) co_await rest->done.wait();
  if (!*alive) co_return;
  const auto found = windows_.find(window_id);
  if (found == windows_.end() || found->second.row.applied_from != occurrence) co_return;
  if (rest->failed) {
    found->second.row.applied_from.reset();  // the next heartbeat tries again
    co_return;
  }
  store_.post_write(
      [window_id, occurrence](soci::session& sql) {
        return store::MaintenanceWindows::set_applied(sql, window_id, occurrence);
      },
      [](Result<void> written) {
        if (!written)
          log::warning("connect", "The beginning of a maintenance window could not be stored.",
                       {{"error", written.error().message}});
      });
}

const MaintenanceWindows::Window* MaintenanceWindows::best_for(
    const store::ConnectionRow& row) const {
  const UtcTime time = now();
  const Window* best = nullptr;
  std::optional<Occurrence> best_occurrence;
  for (const auto& [id, window] : windows_) {
    const auto active = window.active_at(time);
    if (!active || !window.definition.targets.matches(row)) continue;
    if (best && best_occurrence->to >= active->to) continue;
    best = &window;
    best_occurrence = active;
  }
  return best;
}

void MaintenanceWindows::settle(const std::string& window_id) {
  const UtcTime time = now();
  for (const auto& target : host_.targets()) {
    if (!target.suspension || target.suspension->window_id.empty()) continue;
    if (!window_id.empty() && target.suspension->window_id != window_id) continue;
    auto work = [&]() -> Task<Result<void>> {
      const Window* heir = best_for(*target.row);
      if (!heir) return host_.end(target.row->id, *target.suspension);
      const auto& definition = heir->definition;
      Suspension suspension{definition.suspension_reason(), definition.actor(), time,
                            heir->active_at(time)->to,      definition.then,    heir->row.id};
      return host_.suspend(target.row->id, std::move(suspension));
    }();
    spawn(control_, [](Task<Result<void>> change, std::string connection) -> Task<void> {
      Result<void> done = co_await std::move(change);
      if (!done)
        log::error("connect", "A change of a maintenance window did not reach a connection.",
                   {{"connection", connection}, {"error", done.error().message}});
    }(std::move(work), target.row->id));
  }
}

std::optional<HoldingWindow> MaintenanceWindows::holding(
    const std::optional<Suspension>& suspension) const {
  if (!suspension || suspension->window_id.empty() || !suspension->until) return std::nullopt;
  const auto found = windows_.find(suspension->window_id);
  return HoldingWindow{suspension->window_id,
                       found == windows_.end() ? std::string() : found->second.definition.name,
                       *suspension->until};
}

std::optional<ComingWindow> MaintenanceWindows::coming(const store::ConnectionRow& row) const {
  const UtcTime time = now();
  std::optional<ComingWindow> first;
  for (const auto& [id, window] : windows_) {
    if (!window.definition.targets.matches(row)) continue;
    const auto next = window.next_after(time);
    if (next && (!first || next->from < first->occurrence.from))
      first = ComingWindow{id, window.definition.name, *next};
  }
  return first;
}

}  // namespace tributary::connect
