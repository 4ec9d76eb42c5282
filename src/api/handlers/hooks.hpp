// Calls of webhooks, as the dispatcher sees them.
#pragma once

#include "api/router.hpp"
#include "orchestrate/hooks/message.hpp"

namespace tributary::api::handlers {

// The row of webhooks: it is found by the beginning of the path, not by the table.
const Route& hook_route();
orchestrate::hooks::Call hook_call(const Request& request);
Problem hook_problem(const orchestrate::hooks::Refusal& refusal);

}  // namespace tributary::api::handlers
