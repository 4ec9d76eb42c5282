// Planned maintenance: suspends connections when a window begins and lets go of them when it ends
// early. A window's regular end is the end of the suspension that it made, so it needs nobody here.
// Lives on the control executor; call every member there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/async_mutex.hpp"
#include "connect/maintenance/definition.hpp"
#include "connect/manager.hpp"

namespace tributary::connect {

// A connection as windows see it.
struct WindowTarget {
  const store::ConnectionRow* row = nullptr;
  bool running = false;  // Connected or on its way there; also before its start at boot
  const Suspension* suspension = nullptr;
};

// What the windows do to connections; the manager stands behind it.
struct WindowHost {
  std::function<std::vector<WindowTarget>()> targets;
  std::function<Task<Result<void>>(std::string id, Suspension suspension)> suspend;
  // Ends this suspension and no other.
  std::function<Task<Result<void>>(std::string id, Suspension suspension)> end;
};

struct WindowView {
  store::MaintenanceWindowRow row;
  std::optional<Occurrence> active;
  std::optional<Occurrence> next;
  std::size_t holds = 0;  // connections that it keeps suspended
};

// What a connection shows of the windows.
struct HoldingWindow {
  std::string id;
  std::string name;
  UtcTime until;
};
struct ComingWindow {
  std::string id;
  std::string name;
  Occurrence occurrence;
};

class MaintenanceWindows {
 public:
  MaintenanceWindows(Executor control, Clock& clock, Timers& timers, store::Store& store,
                     WindowHost host);
  ~MaintenanceWindows();

  Result<void> load();  // blocking; at start
  // Looks at the clock: begins what is due and sets the timer for the next beginning or end. Also
  // with every heartbeat, because the wall clock may have been set.
  void check();
  void close();
  // At boot: a window that was not carried out yet will suspend this connection in a moment, so
  // nothing should be sent to it before.
  bool about_to_hold(const store::ConnectionRow& row) const;

  std::vector<WindowView> windows() const;
  std::optional<WindowView> window(const std::string& id) const;
  Task<Outcome<WindowView>> create(Json body, Actor actor, bool dry_run);
  // Takes effect at once: connections that the changed window covers now stay suspended with its
  // new end, the others that it held are let go.
  Task<Outcome<WindowView>> update(std::string id, Json patch, std::int64_t expected_version,
                                   Actor actor, bool dry_run);
  Task<Result<void>> remove(std::string id, Actor actor);
  // From now on, the one under way included; with the zone to show them in. Error: "not_found".
  struct Planned {
    Zone zone;
    std::vector<Occurrence> occurrences;
  };
  Result<Planned> planned(const std::string& id, std::size_t limit) const;

  std::optional<HoldingWindow> holding(const std::optional<Suspension>& suspension) const;
  std::optional<ComingWindow> coming(const store::ConnectionRow& row) const;

 private:
  struct Window {
    store::MaintenanceWindowRow row;
    WindowDefinition definition;
    // What comes, as it was seen then; looked up again when it is over or the clock was set back.
    mutable std::vector<Occurrence> upcoming;
    mutable std::optional<UtcTime> looked_at;

    const std::vector<Occurrence>& upcoming_at(UtcTime now) const;
    std::optional<Occurrence> active_at(UtcTime now) const;
    std::optional<Occurrence> next_after(UtcTime now) const;
  };

  UtcTime now() const { return clock_.utc_now(); }
  WindowView view(const Window& window) const;
  void begin(Window& window);
  Task<void> carry_out(std::string window_id, std::vector<std::string> ids, Suspension suspension,
                       UtcTime occurrence);
  // The active window with the latest end that covers a connection.
  const Window* best_for(const store::ConnectionRow& row) const;
  // Lets go of what the window holds, as far as no window covers it now. Of every window when the
  // id is empty.
  void settle(const std::string& window_id);
  Result<Window> make(store::MaintenanceWindowRow row) const;
  // Ids in the targets that are nobody's, except those that were there before.
  void check_ids(const Json& body, const Json& before,
                 std::vector<schema::FieldError>& errors) const;
  std::optional<Error> name_taken(const std::string& name, const std::string& except_id) const;

  Executor control_;
  Clock& clock_;
  Timers& timers_;
  store::Store& store_;
  WindowHost host_;
  AsyncMutex mutations_;
  std::map<std::string, Window> windows_;
  std::unique_ptr<Timer> timer_;
  bool settled_ = false;
  bool closed_ = false;
  std::shared_ptr<MaintenanceWindows*> alive_;
};

// What a client would have to send to get this window.
Json window_body(const store::MaintenanceWindowRow& row);

}  // namespace tributary::connect
