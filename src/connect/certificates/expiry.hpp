// How soon a certificate ends, in the steps at which people are told. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"
#include "connect/alarms.hpp"
#include "net/certificate.hpp"

namespace tributary::connect {

struct ExpiryStep {
  int days = 0;  // 30, 14, 7, 1: ends within so many days; 0: has ended
  Severity severity = Severity::kInfo;
};

// The step that a certificate has reached by UTC; nullopt while it has more than 30 days.
std::optional<ExpiryStep> expiry_step(UtcTime not_after, UtcTime now);

// Whole days that are left; negative after the end.
std::int64_t days_left(UtcTime not_after, UtcTime now);

// One sentence that stays the same from one step to the next; `what` begins it: "The client
// certificate of \"Line 3\"".
std::string expiry_message(const std::string& what, const net::Certificate& certificate,
                           const ExpiryStep& step);

}  // namespace tributary::connect
