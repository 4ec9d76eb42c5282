// What is in the messages of a subscription.
#pragma once

#include <optional>

#include "connectors/opcua/src/publisher.hpp"

namespace tributary::connectors::opcua {

std::size_t count_values(const UA_NotificationMessage& message);
// Why the server ended the subscription; null when the message does not say that it did.
std::optional<UA_StatusCode> end_of(const UA_NotificationMessage& message);
// The values or events of a message, which outlives the call. When `feed` has a gap, values carry
// the overflow bit, and events come behind a remark.
Task<Batch> to_batch(Shared state, std::shared_ptr<Feed> feed,
                     const UA_NotificationMessage* message);

}  // namespace tributary::connectors::opcua
