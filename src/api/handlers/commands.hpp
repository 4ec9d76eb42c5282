// The bodies of commands to connections, for one and for many.
#pragma once

#include "api/http.hpp"
#include "connect/order.hpp"
#include "connect/selection.hpp"

namespace tributary::api::handlers {

// The members that go with the command: reason, until and then of a suspension, start of a resume.
// Errors: 422 for others and for values that are not right.
std::expected<connect::Order, Problem> parse_order(connect::Command command, const Json& body);

// What the audit says about it.
Json order_detail(const connect::Order& order);

}  // namespace tributary::api::handlers
