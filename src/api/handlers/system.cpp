#include <charconv>

#include "api/handlers/common.hpp"
#include "api/metrics.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {
namespace {

Json audit_view(const store::AuditRow& row) {
  Json json = json_object();
  json["seq"] = row.seq;
  json["at"] = format_utc(row.at);
  json["actor"] = row.actor;
  json["action"] = row.action;
  json["target"] = row.target;
  json["detail"] = row.detail;
  return json;
}

}  // namespace

Task<Answer> list_audit(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  std::int64_t before = 0;
  const std::string& after = page->after;
  auto [parsed, error] = std::from_chars(after.data(), after.data() + after.size(), before);
  if (!after.empty() &&
      (error != std::errc() || parsed != after.data() + after.size() || before < 1)) {
    co_return refuse(Problem(400, "invalid_cursor", "Use the value of next from the page before."));
  }
  using Rows = std::vector<store::AuditRow>;
  const std::size_t limit = page->limit;
  std::move_only_function<Result<Rows>(store::SessionRef)> work =
      [before, limit](soci::session& sql) { return store::Audit::list(sql, before, limit + 1); };
  auto rows = co_await services.store.read<Rows>(std::move(work));
  TRIBUTARY_CO_TRY(rows);
  std::optional<std::string> next;
  if (rows->size() > limit) {
    rows->resize(limit);
    next = std::to_string(rows->back().seq);
  }
  Json items = json_array();
  for (const auto& row : *rows) items.push_back(audit_view(row));
  co_return Response::of(page_answer(std::move(items), next));
}

Task<Answer> get_system(Services& services, Request&) {
  Json json = json_object();
  json["version"] = services.version;
  json["apiVersion"] = "v1";
  json["startedAt"] = format_utc(services.started_at);
  json["uptimeSeconds"] = to_seconds(services.runtime.clock().steady_now() - services.started);
  json["bootId"] = services.store.boot_id();
  json["uncleanStart"] = services.store.was_unclean();
  Json connectors = json_array();
  for (const auto& entry : services.manager.registry().entries())
    connectors.push_back(entry->manifest.type);
  json["connectors"] = std::move(connectors);
  json["connections"] = services.manager.connections().size();
  json["pipelines"] = services.engine.pipelines().size();
  co_return Response::of(std::move(json));
}

Task<Answer> get_openapi(Services& services, Request&) {
  Response response;
  response.static_body = services.openapi;
  response.set("Content-Type", "application/yaml");
  co_return response;
}

Task<Answer> healthz(Services&, Request&) {
  Json json = json_object();
  json["status"] = "ok";
  co_return Response::of(std::move(json));
}

Task<Answer> readyz(Services& services, Request&) {
  // The store must answer a read, and the hub must not be on its way out.
  std::move_only_function<Result<int>(store::SessionRef)> work =
      [](store::SessionRef) -> Result<int> { return 1; };
  auto readable = co_await services.store.read<int>(std::move(work));
  const bool running = !services.stopping();
  Json checks = json_object();
  checks["store"] = readable ? "ok" : "failed";
  checks["hub"] = running ? "ok" : "stopping";
  Json json = json_object();
  const bool ready = readable && running;
  json["status"] = ready ? "ready" : "not_ready";
  json["checks"] = std::move(checks);
  co_return Response::of(std::move(json), ready ? 200 : 503);
}

Task<Answer> metrics(Services& services, Request&) {
  Response response;
  response.body = services.metrics.render(services);
  response.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  co_return response;
}

}  // namespace tributary::api::handlers
