#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::size_t kMaxName = 100;

struct NewToken {
  std::string name;
  std::string role;
  std::optional<UtcTime> expires_at;
};

std::expected<NewToken, Problem> read_token(const Request& request, UtcTime now) {
  auto body = body_object(request);
  TRIBUTARY_TRY(body);
  TRIBUTARY_TRY(refuse_unknown(*body, {"name", "role", "expiresAt"}));
  NewToken token{get_string(*body, "name"), get_string(*body, "role", "admin"), std::nullopt};
  if (token.name.empty() || token.name.size() > kMaxName) {
    return refuse(
        invalid_field("/name", "required",
                      fmt::format("Give the token a name of 1 to {} characters.", kMaxName)));
  }
  if (token.role != "admin") {
    return refuse(invalid_field("/role", "not_allowed",
                                fmt::format("\"{}\" is not a role; there is: admin.", token.role)));
  }
  const Json& expires = get_member(*body, "expiresAt");
  if (expires.is_null()) return token;
  auto time = parse_utc(expires.is_string() ? expires.as<std::string>() : std::string());
  if (!time)
    return refuse(
        invalid_field("/expiresAt", "format", "It must be a time such as 2026-11-22T10:00:00Z."));
  if (*time <= now)
    return refuse(invalid_field("/expiresAt", "out_of_range", "It must be in the future."));
  token.expires_at = *time;
  return token;
}

Json token_view(const auth::TokenInfo& token) {
  Json json = json_object();
  json["id"] = token.id;
  json["name"] = token.name;
  json["role"] = token.role;
  json["createdAt"] = format_utc(token.created_at);
  json["expiresAt"] = time_or_null(token.expires_at);
  json["lastUsedAt"] = time_or_null(token.last_used_at);
  return json;
}

}  // namespace

Task<Answer> list_tokens(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  std::vector<auth::TokenInfo> tokens = services.auth.tokens();
  auto name = request.query_value("name");
  std::erase_if(tokens, [&name](const auto& token) {
    return name && !contains_ignoring_case(token.name, *name);
  });
  co_return Response::of(make_page(
      std::move(tokens), *page,
      [](const auth::TokenInfo& token) { return name_key(token.name, token.id); }, token_view));
}

Task<Answer> create_token(Services& services, Request& request) {
  auto wanted = read_token(request, services.runtime.clock().utc_now());
  TRIBUTARY_CO_TRY(wanted);
  request.audit_target = wanted->name;
  Json json = json_object();
  json["name"] = wanted->name;
  json["role"] = wanted->role;
  json["expiresAt"] = time_or_null(wanted->expires_at);
  json["token"] = Json::null();
  if (request.dry_run) co_return Response::of(std::move(json));
  auto text = co_await services.auth.create_token(wanted->name, wanted->role, wanted->expires_at);
  TRIBUTARY_CO_TRY(text);
  json["token"] = *text;
  Response response = Response::of(std::move(json), 201);
  response.set("Location", "/api/v1/tokens");
  co_return response;
}

Task<Answer> revoke_token(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  std::vector<auth::TokenInfo> tokens = services.auth.tokens();
  auto token = std::ranges::find(tokens, id, &auth::TokenInfo::id);
  if (token == tokens.end()) co_return refuse(no_such("token"));
  request.audit_detail["name"] = token->name;
  if (!request.dry_run) {
    auto revoked = co_await services.auth.revoke_token(id);
    TRIBUTARY_CO_TRY(revoked);
  }
  co_return Response::no_content();
}

}  // namespace tributary::api::handlers
