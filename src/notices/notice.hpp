// What a notice is: the body that people write, what it is about, and the message that is sent.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/alarms.hpp"
#include "connect/manager.hpp"
#include "connect/status_filter.hpp"
#include "http/egress.hpp"
#include "store/notices.hpp"

namespace tributary::notices {

using FieldErrors = std::vector<schema::FieldError>;

// A notice ready to be applied to what happens.
struct Rule {
  connect::StatusFilter statuses;
  bool wants_statuses = true;
  std::vector<std::string> alarms;  // kinds; "*": every kind; empty: none
  connect::DigestRule digest;

  bool wants_alarm(const std::string& kind) const;
};
Rule read_rule(const store::NoticeRow& row);

// Everything that is wrong with a body (as POST /notices), each with its pointer.
FieldErrors check_body(const Json& body, const http::EgressGuard& guard,
                       const connect::Manager& manager);
// The members of a row as a body, without secrets; and back, with the defaults filled in.
Json to_body(const store::NoticeRow& row);
void from_body(const Json& body, store::NoticeRow& row);

// The names of the secrets: "secret" signs, "authorization" is sent as the header of that name.
constexpr std::string_view kSigningSecret = "secret";
constexpr std::string_view kAuthorization = "authorization";

// Who a message is about.
struct Subject {
  std::string id;
  std::string name;
  std::string type;
  Json labels;
};
struct StatusNews {
  Subject subject;
  connect::Status from = connect::Status::kIdle;
  connect::StateView state;
};
struct AlarmNews {
  std::optional<Subject> subject;  // absent: the hub itself
  connect::AlarmRow alarm;
};

// The messages (docs/notices.md). `at`: when they are made.
Json status_message(const std::string& id, UtcTime at, const StatusNews& news,
                    std::int64_t suppressed);
Json alarm_message(const std::string& id, UtcTime at, const AlarmNews& news,
                   std::int64_t suppressed);
Json test_message(const std::string& id, UtcTime at);

}  // namespace tributary::notices
