// Conditions that want a person's eye and are not a state of a connection: a subscription that fell
// silent, a certificate that runs out, a connection that flaps. Each is raised once, stays active
// until its owner clears it, and is kept as a record afterwards.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/runtime.hpp"
#include "store/rows.hpp"
#include "store/store.hpp"

namespace tributary::connect {

using store::AlarmRow;

// What makes an alarm the same alarm: raising it again while it is active only renews its message.
struct AlarmKey {
  std::string connection_id;  // empty: the hub itself
  std::string kind;           // "silent", "certificate_expiry", "flapping" …
  std::string subject;        // tells alarms of one kind apart: a function's id, a fingerprint

  friend auto operator<=>(const AlarmKey&, const AlarmKey&) = default;
};

enum class Severity : std::uint8_t { kInfo, kWarning, kError };
std::string_view to_string(Severity severity);

// Lives on the control executor; call every member there.
class Alarms {
 public:
  // Told of every alarm that was raised, renewed with other words, or cleared (cleared_at is set).
  using Listener = std::function<void(const AlarmRow& alarm)>;

  Alarms(Runtime& runtime, store::Store& store);
  ~Alarms();

  // What was active when the last run of the hub ended is cleared: its owners raise it again if it
  // still holds. Blocking; at start.
  Result<void> load();

  void raise(AlarmKey key, Severity severity, std::string message);
  // Nothing happens when no such alarm is active.
  void clear(const AlarmKey& key);
  // Everything of one kind of a connection, or everything of it (`kind` empty).
  void clear_all(const std::string& connection_id, const std::string& kind);

  std::vector<AlarmRow> active() const;  // oldest first
  std::vector<AlarmRow> active_of(const std::string& connection_id) const;
  // Active and past ones, newest first; `before` is the id to continue below, empty for the start.
  Task<Result<std::vector<AlarmRow>>> list(std::string connection_id, std::string before,
                                           std::size_t limit);
  // Dropping the registration (on the control executor) ends it.
  std::shared_ptr<void> watch(Listener listener);

 private:
  void store_row(const AlarmRow& row);
  void tell(const AlarmRow& row);

  Runtime& runtime_;
  store::Store& store_;
  std::map<AlarmKey, AlarmRow> active_;
  std::list<std::weak_ptr<Listener>> listeners_;
};

}  // namespace tributary::connect
