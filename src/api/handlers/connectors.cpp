#include "api/handlers/common.hpp"

namespace tributary::api::handlers {

Task<Answer> list_connectors(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  std::vector<const sdk::Entry*> entries;
  auto category = request.query_value("category");
  for (const auto& entry : services.manager.registry().entries()) {
    if (!category || equals_ignoring_case(entry->manifest.category, *category))
      entries.push_back(entry.get());
  }
  co_return Response::of(make_page(
      std::move(entries), *page, [](const sdk::Entry* entry) { return entry->manifest.type; },
      [](const sdk::Entry* entry) { return connector_view(*entry); }));
}

Task<Answer> get_connector(Services& services, Request& request) {
  const sdk::Entry* entry = services.manager.registry().find(request.parameter("type"));
  if (!entry) {
    co_return refuse(Problem(404, "not_found", "This build has no connector of this type.",
                             "GET /api/v1/connectors lists them."));
  }
  co_return Response::of(connector_view(*entry));
}

}  // namespace tributary::api::handlers
