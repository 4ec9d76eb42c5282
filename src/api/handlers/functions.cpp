#include <cmath>

#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::int64_t kDefaultTimeoutMs = 30'000;
constexpr std::int64_t kMaxTimeoutMs = 300'000;

bool wanted(const Services& services, const Request& request,
            const connect::FunctionHead& function) {
  auto name = request.query_value("name");
  auto type = request.query_value("type");
  auto kind = request.query_value("kind");
  return (!name || contains_ignoring_case(function.name, *name)) &&
         (!type || function.type == *type) &&
         (!kind || to_string(kind_of(services.manager.registry(), function.type)) == *kind);
}

std::expected<void, Problem> check_kind_filter(const Request& request) {
  auto kind = request.query_value("kind");
  if (!kind) return {};
  for (std::string_view known : {"read", "write", "subscribe", "browse", "command"}) {
    if (*kind == known) return {};
  }
  return refuse(
      Problem(400, "invalid_parameter",
              "The query parameter kind must be read, write, subscribe, browse or command."));
}

Answer answer_list(Services& services, const Request& request,
                   std::vector<connect::FunctionHead> functions) {
  auto page = page_request(request);
  TRIBUTARY_TRY(page);
  TRIBUTARY_TRY(check_kind_filter(request));
  std::erase_if(functions,
                [&](const auto& function) { return !wanted(services, request, function); });
  return Response::of(make_page(
      std::move(functions), *page,
      [](const connect::FunctionHead& function) { return name_key(function.name, function.id); },
      [&](const connect::FunctionHead& function) {
        return function_view(services.manager.function(function.id).value(),
                             services.manager.registry());
      }));
}

Response answer_one(Services& services, const connect::FunctionView& function) {
  return edited(function_view(function, services.manager.registry()), function.row.version);
}

Task<Answer> apply_patch(Services& services, Request& request, Json patch, std::int64_t version) {
  request.audit_detail["patch"] = patch;
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto updated = co_await services.manager.update_function(id, std::move(patch), version, actor,
                                                           request.dry_run);
  TRIBUTARY_CO_TRY(updated);
  co_return answer_one(services, *updated);
}

struct Call {
  Json parameters;
  Duration timeout{};
};

std::expected<Call, Problem> read_call(const Request& request) {
  auto body = body_object(request, true);
  TRIBUTARY_TRY(body);
  TRIBUTARY_TRY(refuse_unknown(*body, {"parameters", "timeoutMs"}));
  Call call{json_object(), std::chrono::milliseconds(kDefaultTimeoutMs)};
  const Json& parameters = get_member(*body, "parameters");
  if (!parameters.is_null() && !parameters.is_object()) {
    return refuse(
        invalid_field("/parameters", "wrong_type", "It must be an object of names and values."));
  }
  if (parameters.is_object()) call.parameters = parameters;
  const Json& timeout = get_member(*body, "timeoutMs");
  if (timeout.is_null()) return call;
  const std::int64_t milliseconds = timeout.is_int64() ? timeout.as<std::int64_t>() : 0;
  if (milliseconds < 1 || milliseconds > kMaxTimeoutMs) {
    return refuse(
        invalid_field("/timeoutMs", "out_of_range",
                      fmt::format("It must be a whole number from 1 to {}.", kMaxTimeoutMs)));
  }
  call.timeout = std::chrono::milliseconds(milliseconds);
  return call;
}

Json execute_view(const std::string& id, const connect::ExecuteResult& executed, BigInt big) {
  Json json = json_object();
  json["success"] = executed.result.has_value();
  json["functionId"] = id;
  json["durationMs"] = std::round(to_seconds(executed.duration) * 1e6) / 1000.0;
  json["timestamp"] = format_utc(executed.at);
  json["data"] = executed.result ? batch_view(*executed.result, big) : Json::null();
  if (!executed.result) json["error"] = to_json(executed.result.error());
  return json;
}

}  // namespace

Task<Answer> list_functions(Services& services, Request& request) {
  const std::string connection_id(request.query_value("connectionId").value_or(""));
  co_return answer_list(services, request, services.manager.function_heads(connection_id));
}

Task<Answer> list_connection_functions(Services& services, Request& request) {
  if (!services.manager.connection(request.parameter("id")))
    co_return refuse(no_such("connection"));
  co_return answer_list(services, request,
                        services.manager.function_heads(request.parameter("id")));
}

Task<Answer> create_function(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  const std::string connection_id = request.parameter("id");
  if (!services.manager.connection(connection_id)) co_return refuse(no_such("connection"));
  request.audit_detail["body"] = *body;
  request.audit_detail["connectionId"] = connection_id;
  const connect::Actor actor = request.actor();
  auto made = co_await services.manager.create_function(connection_id, std::move(*body), actor,
                                                        request.dry_run);
  TRIBUTARY_CO_TRY(made);
  request.audit_target = made->row.id;
  co_return created(request, "functions", made->row.id,
                    function_view(*made, services.manager.registry()), made->row.version);
}

Task<Answer> get_function(Services& services, Request& request) {
  auto function = services.manager.function(request.parameter("id"));
  if (!function) co_return refuse(no_such("function"));
  co_return answer_one(services, *function);
}

Task<Answer> replace_function(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto current = services.manager.function(request.parameter("id"));
  if (!current) co_return refuse(no_such("function"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  Json patch = patch_between(function_body(current->row), *body);
  co_return co_await apply_patch(services, request, std::move(patch), *version);
}

Task<Answer> update_function(Services& services, Request& request) {
  auto patch = body_object(request);
  TRIBUTARY_CO_TRY(patch);
  auto current = services.manager.function(request.parameter("id"));
  if (!current) co_return refuse(no_such("function"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  co_return co_await apply_patch(services, request, std::move(*patch), *version);
}

Task<Answer> delete_function(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto current = services.manager.function(id);
  if (!current) co_return refuse(no_such("function"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  request.audit_detail["name"] = current->row.name;
  TRIBUTARY_CO_TRY(check_unused(services, "function", id));
  if (!request.dry_run) {
    const connect::Actor actor = request.actor();
    auto removed = co_await services.manager.remove_function(id, actor);
    TRIBUTARY_CO_TRY(removed);
  }
  co_return Response::no_content();
}

Task<Answer> execute_function(Services& services, Request& request) {
  auto call = read_call(request);
  TRIBUTARY_CO_TRY(call);
  auto big = query_bigint(request);
  TRIBUTARY_CO_TRY(big);
  const std::string id = request.parameter("id");
  auto function = services.manager.function(id);
  if (!function) co_return refuse(no_such("function"));
  request.audit_detail["parameters"] = call->parameters;
  if (request.dry_run) {
    connect::ExecuteResult nothing{Batch{}, Duration{}, services.runtime.clock().utc_now()};
    co_return Response::of(execute_view(id, nothing, *big));
  }
  connect::ExecuteResult executed =
      co_await services.manager.execute(id, std::move(call->parameters), call->timeout);
  if (!executed.result) request.audit_detail["error"] = executed.result.error().code;
  co_return Response::of(execute_view(id, executed, *big));
}

Task<Answer> get_function_values(Services& services, Request& request) {
  auto big = query_bigint(request);
  TRIBUTARY_CO_TRY(big);
  const std::string id = request.parameter("id");
  if (!services.manager.function(id)) co_return refuse(no_such("function"));
  auto batch = co_await services.manager.last_values(id);
  TRIBUTARY_CO_TRY(batch);
  co_return Response::of(batch_view(*batch, *big));
}

}  // namespace tributary::api::handlers
