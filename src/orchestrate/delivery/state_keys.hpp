// State of a node that delivery keeps beside the node's own (spool::StateChange::key).
#pragma once

#include <string_view>

namespace tributary::orchestrate {

// How many records the node holds.
constexpr std::string_view kHeldKey = "$held";
// Up to which number the courier has begun to send.
constexpr std::string_view kSendingKey = "$sending";

}  // namespace tributary::orchestrate
