// A command to connections as a value: given to many at once, or tried out before.
#pragma once

#include "connect/status.hpp"
#include "schema/schema.hpp"

namespace tributary::connect {

enum class Command : std::uint8_t { kStart, kStop, kRestart, kSuspend, kResume };
std::string_view to_string(Command command);  // "start" …
std::optional<Command> parse_command(std::string_view text);

struct Order {
  Command command = Command::kStart;
  // Of kSuspend.
  std::string reason;
  std::optional<UtcTime> until;
  AfterSuspension then = AfterSuspension::kResumeAndStart;  // with `until`
  // Of kResume: goes on to start.
  bool start = false;
};

// Empty when the order can be given; pointers "/reason" and "/until" otherwise.
std::vector<schema::FieldError> check_order(const Order& order, UtcTime now);

}  // namespace tributary::connect
