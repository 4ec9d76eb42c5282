#include "connect/suspension.hpp"

namespace tributary::connect {

void put_suspension(store::ConnectionRow& row, const std::optional<Suspension>& suspension) {
  row.suspend_reason = suspension ? suspension->reason : "";
  row.suspended_by = suspension ? suspension->by : "";
  row.suspended_at = suspension ? std::optional(suspension->at) : std::nullopt;
  row.suspended_until = suspension ? suspension->until : std::nullopt;
  row.suspend_then = suspension ? to_string(suspension->then) : "";
  row.suspend_window = suspension ? suspension->window_id : "";
}

Suspension suspension_of(const store::ConnectionRow& row) {
  Suspension suspension;
  suspension.reason = row.suspend_reason;
  suspension.by = row.suspended_by;
  suspension.at = row.suspended_at.value_or(row.updated_at);
  suspension.until = row.suspended_until;
  suspension.then =
      parse_after_suspension(row.suspend_then).value_or(AfterSuspension::kResumeAndStart);
  suspension.window_id = row.suspend_window;
  return suspension;
}

}  // namespace tributary::connect
