// How patient a connection is: deadlines, backoff, breaker. Defaults by family of the connector
// (lifecycle §5), each editable per profile through its "reconnect" object.
#pragma once

#include <vector>

#include "connect/function_breaker.hpp"
#include "connect/status.hpp"
#include "net/stream.hpp"
#include "schema/schema.hpp"
#include "sdk/registry.hpp"

namespace tributary::connect::lifecycle {

struct Policy {
  ReconnectPolicy reconnect;
  Duration connect_timeout{std::chrono::seconds{5}};
  Duration request_timeout{std::chrono::seconds{2}};
  // A Connected peer that was not heard for this long is asked whether it is still there (G12:
  // noticed within 15 s).
  Duration health_interval{std::chrono::seconds{5}};
  // Of the TCP connection: a peer that vanished without a word is noticed by the operating system.
  net::Keepalive keepalive;
  FunctionBreakerPolicy function_breaker;
  // A session whose subscriptions were silent for this long is made anew. Absent: by what each of
  // them is expected to send (subscriptions/freshness.hpp); zero: never.
  std::optional<Duration> rebuild_silent_after;
};

// Floors and windows of the error classes (lifecycle §4). The same for every profile: they protect
// the other side.
inline constexpr Duration kNameFloor{std::chrono::seconds{10}};
inline constexpr Duration kBusyFloor{std::chrono::seconds{10}};
inline constexpr Duration kIdentityFloor{std::chrono::seconds{60}};
inline constexpr Duration kTrustRecheck{std::chrono::minutes{10}};
inline constexpr Duration kTakeoverWindow{std::chrono::minutes{5}};
inline constexpr int kTakeoversToFail = 3;
inline constexpr int kIdentityTries = 2;
// A peer may ask for any wait; longer ones are cut to this so that a confused peer cannot park a
// connection for a day.
inline constexpr Duration kMaxRetryAfter{std::chrono::minutes{15}};
// The watchdog of an attempt fires this long after the session's own deadline: the session's error
// says more.
inline constexpr Duration kDeadlineGrace{std::chrono::milliseconds{250}};
// What a polite goodbye may take (T10); a hard close never waits longer than the second one (T6).
inline constexpr Duration kGracefulClose{std::chrono::seconds{5}};
inline constexpr Duration kHardClose{std::chrono::seconds{1}};

// The column of lifecycle §5 for a family.
Policy default_policy(sdk::Family family);

// The JSON Schema (2020-12) of a profile's "reconnect" object.
const Json& reconnect_schema();
// The same for one connector: with the defaults of its family, and without the members that its own
// settings have.
Json reconnect_schema_of(const sdk::Entry& type);

// What is wrong with a "reconnect" object; pointers begin with "/reconnect". Unknown members are
// refused.
std::vector<schema::FieldError> validate_reconnect(const Json& reconnect);
// Besides: members that belong into the settings of this connector.
std::vector<schema::FieldError> validate_reconnect(const Json& reconnect, const sdk::Entry& type);

// The policy of a profile: the family's defaults, then the members of a valid "reconnect", then
// connectTimeoutMs and requestTimeoutMs of the connection's settings where its schema has them.
Policy make_policy(sdk::Family family, const Json& reconnect, const Json& settings);

// Every member of the "reconnect" object with its effective value; rebuildSilentAfterMs only when
// it was set.
Json to_json(const Policy& policy);

}  // namespace tributary::connect::lifecycle
