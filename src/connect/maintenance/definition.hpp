// A maintenance window as people write it: checked member by member, made ready to use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/maintenance/calendar.hpp"
#include "connect/selection.hpp"
#include "connect/status.hpp"

namespace tributary::connect {

struct WindowDefinition {
  std::string name;
  std::string reason;
  Zone zone;
  CalendarRule rule;
  Selection targets;
  AfterSuspension then = AfterSuspension::kResumeAndStart;
  bool enabled = true;

  // What connections show while the window holds them.
  std::string suspension_reason() const;
  std::string actor() const;  // "maintenance window NAME"
};

// The body of POST /maintenance-windows. Every error with its pointer; nullopt when there is one.
std::optional<WindowDefinition> parse_window(const Json& body,
                                             std::vector<schema::FieldError>& errors);

}  // namespace tributary::connect
