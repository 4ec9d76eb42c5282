#include "api/handlers/common.hpp"
#include "api/handlers/settings.hpp"

namespace tributary::api::handlers {
namespace {

Json node_type_view(const orchestrate::NodeCatalogue::Entry& entry) {
  const Json& schema = entry.schema.document();
  Json json = json_object();
  json["type"] = std::string(entry.type.type);
  json["title"] = get_string(schema, "title");
  json["description"] = get_string(schema, "description");
  json["trigger"] = entry.type.trigger;
  Json ports = json_array();
  for (const std::string& port : entry.type.ports) ports.push_back(port);
  json["ports"] = std::move(ports);
  json["schema"] = schema;
  return json;
}

}  // namespace

Task<Answer> list_node_types(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  std::vector<const orchestrate::NodeCatalogue::Entry*> entries;
  for (const auto& entry : services.engine.catalogue().entries()) entries.push_back(&entry);
  co_return Response::of(make_page(
      std::move(entries), *page, [](const auto* entry) { return std::string(entry->type.type); },
      [](const auto* entry) { return node_type_view(*entry); }));
}

}  // namespace tributary::api::handlers
