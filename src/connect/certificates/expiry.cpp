#include "connect/certificates/expiry.hpp"

#include <array>

namespace tributary::connect {

namespace {

using Days = std::chrono::days;

// From the nearest end to the farthest.
constexpr std::array kSteps = {ExpiryStep{1, Severity::kError}, ExpiryStep{7, Severity::kWarning},
                               ExpiryStep{14, Severity::kWarning}, ExpiryStep{30, Severity::kInfo}};

}  // namespace

std::optional<ExpiryStep> expiry_step(UtcTime not_after, UtcTime now) {
  if (now >= not_after) return ExpiryStep{0, Severity::kError};
  for (const auto& step : kSteps) {
    if (not_after - now <= Days{step.days}) return step;
  }
  return std::nullopt;
}

std::int64_t days_left(UtcTime not_after, UtcTime now) {
  return std::chrono::floor<Days>(not_after - now).count();
}

std::string expiry_message(const std::string& what, const net::Certificate& certificate,
                           const ExpiryStep& step) {
  const std::string end = format_utc(certificate.not_after);
  if (step.days == 0) {
    return fmt::format("{} ({}) has expired: it was valid until {}.", what, certificate.subject,
                       end);
  }
  return fmt::format("{} ({}) expires within {} day{}: it is valid until {}.", what,
                     certificate.subject, step.days, step.days == 1 ? "" : "s", end);
}

}  // namespace tributary::connect
