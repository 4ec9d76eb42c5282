// Watching events, and the commands for alarms and conditions (OPC 10000-9).
#pragma once

#include "connectors/opcua/src/publisher.hpp"

namespace tributary::connectors::opcua {

// Watches the notifier of `feed` in the subscription `leg`. A field that the server does not know
// is left out of what is asked for. When the server refuses, that is in `feed->refused` and
// `feed->refusals` afterwards. Errors: connection classes.
Task<Result<void>> watch_events(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                                SteadyTime deadline);
// The records of a message, with what was missed before it. `message` outlives the call.
Task<Batch> event_batch(Shared state, std::shared_ptr<Feed> feed,
                        const UA_NotificationMessage* message);
// What the server refuses, as records.
Batch refusal_batch(const Feed& feed, std::span<const Sample> refusals, UtcTime now);
// Asks the server to send again all conditions that are interesting now. A server without
// conditions refuses that: then there are none.
Task<void> refresh_conditions(Shared state, std::shared_ptr<Feed> feed);

// Calls a method of a condition: one record {"conditionId", and "acknowledged": true, "confirmed":
// true or "operation"}. `operation` outlives the call. Errors: kFunction with what the condition
// says ("bad_event_id_unknown", "bad_condition_already_shelved" …); connection classes with
// outcome_unknown.
Task<Result<Batch>> operate_condition(Shared state, const ConditionOperation& operation,
                                      SteadyTime deadline);

}  // namespace tributary::connectors::opcua
