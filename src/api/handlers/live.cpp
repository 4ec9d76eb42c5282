#include "api/dispatcher.hpp"
#include "api/handlers/common.hpp"
#include "api/stream_hub.hpp"

namespace tributary::api::handlers {
namespace {

std::expected<std::optional<Topic>, Problem> wanted_topic(const Request& request) {
  if (request.websocket) return std::nullopt;
  if (request.header("accept").find("text/event-stream") == std::string_view::npos) {
    return refuse(Problem(
        400, "bad_request",
        "This address speaks WebSocket, or server-sent events to Accept: text/event-stream."));
  }
  auto value = [&request](std::string_view name) { return request.query_value(name).value_or(""); };
  auto topic =
      make_topic(value("topic"), value("functionId"), value("pipelineId"), value("bigint"));
  TRIBUTARY_TRY(topic);
  return std::move(*topic);
}

}  // namespace

Task<Answer> stream(Services& services, Request& request) {
  // A page of another site can open a WebSocket here and the browser would send the cookie along.
  if (!is_same_origin(request)) {
    co_return refuse(
        Problem(403, "csrf_check_failed", "The request comes from a page of another site."));
  }
  auto topic = wanted_topic(request);
  TRIBUTARY_CO_TRY(topic);
  TRIBUTARY_CO_TRY(services.streams.check(*topic));
  Response response;
  if (!request.websocket) response.set("Content-Type", "text/event-stream");
  response.stream = [&streams = services.streams, via = request.via,
                     credential = request.credential,
                     only = std::move(*topic)](EventChannel& channel) -> Task<void> {
    return streams.serve(channel, via, credential, only);
  };
  co_return response;
}

}  // namespace tributary::api::handlers
