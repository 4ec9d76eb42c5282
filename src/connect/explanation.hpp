// Why a connection is not Connected, for a person who was called at three in the morning: the
// cause and how often it was seen, what happens next, and what was changed shortly before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connect/status.hpp"
#include "store/outage.hpp"
#include "store/store.hpp"

namespace tributary::connect {

// Something that was done shortly before an outage began and may have to do with it.
struct ChangeBefore {
  UtcTime at;
  std::string kind;  // "configuration" | "credential" | "certificate" | "function" | "command" |
                     // "hub_start"
  std::string by;    // empty: the hub itself
  std::string what;  // a sentence
};

struct Explanation {
  bool down = false;  // people want it Connected and it is not
  std::optional<UtcTime> since;
  std::int64_t failures = 0;  // failed attempts and losses of this outage
  // Of the present cause's code, in this outage.
  std::int64_t occurrences = 0;
  std::optional<UtcTime> first_at, last_at;
  std::vector<store::CauseCount> causes;  // all of this outage, most frequent first
  std::vector<ChangeBefore> changes;      // newest first
  std::string summary;                    // two sentences at most
};

// How long before an outage a change is still worth a look.
inline constexpr std::chrono::minutes kShortlyBefore{15};

// What an audit row about a connection, or about one of its functions, was. nullopt: it changed
// nothing ("connection.test", "function.execute").
std::optional<ChangeBefore> to_change(const store::AuditRow& row);

// "Down for 4 min: 192.0.2.10:502 refused the connection, 7 times so far. Next attempt in 12 s."
std::string summarise(const StateView& state, const Explanation& explanation, UtcTime now);

// Reads history and audit. `targets`: ids whose changes matter, the connection's first. On any
// executor. Errors: those of the store.
Task<Result<Explanation>> explain_connection(store::Store& store, StateView state,
                                             std::vector<std::string> targets, UtcTime now);

}  // namespace tributary::connect
