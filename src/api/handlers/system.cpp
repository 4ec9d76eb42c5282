#include "api/diagnostics/bundle.hpp"
#include "api/handlers/common.hpp"
#include "api/metrics.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {

Task<Answer> get_system(Services& services, Request&) {
  Json view = co_await system_view(services);
  co_return Response::of(std::move(view));
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
