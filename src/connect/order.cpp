#include "connect/order.hpp"

namespace tributary::connect {

namespace {

constexpr std::size_t kMaxReason = 500;
constexpr std::array<std::string_view, 5> kCommands = {"start", "stop", "restart", "suspend",
                                                       "resume"};

}  // namespace

std::string_view to_string(Command command) {
  return kCommands[static_cast<std::size_t>(command)];
}

std::optional<Command> parse_command(std::string_view text) {
  const auto found = std::ranges::find(kCommands, text);
  if (found == kCommands.end()) return std::nullopt;
  return static_cast<Command>(found - kCommands.begin());
}

std::vector<schema::FieldError> check_order(const Order& order, UtcTime now) {
  std::vector<schema::FieldError> errors;
  if (order.command != Command::kSuspend) return errors;
  if (order.reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    errors.push_back(
        {"/reason", "required",
         "A reason is needed: it is what others see while the connection is suspended."});
  } else if (order.reason.size() > kMaxReason) {
    errors.push_back(
        {"/reason", "too_long", fmt::format("The reason has at most {} bytes.", kMaxReason)});
  }
  if (order.until && *order.until <= now)
    errors.push_back({"/until", "out_of_range", "The end of the suspension is in the past."});
  return errors;
}

}  // namespace tributary::connect
