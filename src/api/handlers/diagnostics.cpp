#include "api/diagnostics/bundle.hpp"

#include "api/handlers/common.hpp"
#include "api/handlers/settings.hpp"

namespace tributary::api::handlers {
namespace {

// "20261122T100000Z", for the name of a file.
std::string compact(UtcTime time) {
  std::string text = format_utc(time).substr(0, std::string_view("2026-11-22T10:00:00").size());
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

}  // namespace

Task<Answer> get_diagnostics(Services& services, Request&) {
  auto archive = co_await make_diagnostics(services);
  TRIBUTARY_CO_TRY(archive);
  Response response;
  response.body = std::move(*archive);
  response.set("Content-Type", "application/gzip");
  response.set("Content-Disposition",
               fmt::format(R"(attachment; filename="tributary-diagnostics-{}.tar.gz")",
                           compact(services.runtime.clock().utc_now())));
  co_return response;
}

}  // namespace tributary::api::handlers
