// Pieces that handlers of several resources share.
#pragma once

#include <fmt/format.h>

#include "api/handlers/handlers.hpp"
#include "api/paging.hpp"
#include "api/preconditions.hpp"
#include "api/problem.hpp"
#include "api/views.hpp"

namespace tributary::api::handlers {

// "There is no connection with this id."
inline Problem no_such(std::string_view thing) {
  return Problem(404, "not_found", fmt::format("There is no {} with this id.", thing));
}

// The number of a version, as it stands in a path. Error: 404 for what is none.
std::expected<std::int64_t, Problem> version_number(const std::string& text);

// A connection with the maintenance that holds it or is planned for it.
Json connection_answer(const Services& services, const connect::ConnectionView& connection);

// 200 with the ETag.
Response edited(Json view, std::int64_t version);
// 201 with Location and ETag; 200 for a dry run.
Response created(const Request& request, std::string_view collection, const std::string& id,
                 Json view, std::int64_t version);

// A copy of a connection's body or patch in which every secret is replaced by "(secret)": for the
// audit.
Json without_secrets(const Json& body);

// The merge patch that makes `current` look like `wanted`. Secrets pass through: those that are not
// named stay.
Json patch_between(const Json& current, const Json& wanted);

// What stops while these connections are down: their functions, and the enabled pipelines that use
// them (the schema Impact).
Json impact_of(const Services& services, const std::vector<std::string>& connection_ids);

// Why a function or connection (`thing` says which) cannot be deleted: pipelines use it. Error: 409
// "in_use" with their names.
std::expected<void, Problem> check_unused(const Services& services, std::string_view thing,
                                          const std::string& id);

struct Period {
  UtcTime from, to;
};
// ?from= and ?to=; the last 24 hours before `to` by default. Errors: 400 for a period that ends
// before it begins.
std::expected<Period, Problem> query_period(const Request& request, UtcTime now);

}  // namespace tributary::api::handlers
