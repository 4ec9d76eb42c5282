#include "api/dispatcher.hpp"
#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

// The members that must be strings. Errors: 422 with one entry for each that is not.
std::expected<Json, Problem> read_strings(const Request& request,
                                          std::initializer_list<std::string_view> names) {
  auto body = body_object(request);
  TRIBUTARY_TRY(body);
  TRIBUTARY_TRY(refuse_unknown(*body, names));
  Problem problem(422, "invalid_body", "");
  for (std::string_view name : names) {
    const Json& member = get_member(*body, name);
    if (member.is_string()) continue;
    problem.errors.push_back({fmt::format("/{}", name),
                              member.is_null() ? "required" : "wrong_type",
                              fmt::format("The {} is needed, as text.", name)});
  }
  if (problem.errors.empty()) return std::move(*body);
  problem.detail = problem.errors.front().pointer + ": " + problem.errors.front().message;
  return refuse(std::move(problem));
}

Response signed_in(Request& request, const auth::NewSession& session, int status) {
  request.principal = session.principal;
  request.via = Via::kSession;
  Json me = json_object();
  me["name"] = session.principal.name;
  me["role"] = session.principal.role;
  me["via"] = std::string(to_string(Via::kSession));
  Response response = Response::of(std::move(me), status);
  response.set("Set-Cookie", session_cookie(session.cookie, request.secure));
  return response;
}

}  // namespace

Task<Answer> get_auth_state(Services& services, Request&) {
  Json json = json_object();
  json["needsSetup"] = services.auth.needs_setup();
  co_return Response::of(std::move(json));
}

Task<Answer> setup(Services& services, Request& request) {
  auto body = read_strings(request, {"code", "username", "password"});
  TRIBUTARY_CO_TRY(body);
  request.audit_target = get_string(*body, "username");
  std::string code = get_string(*body, "code");
  std::string username = get_string(*body, "username");
  Secret password{get_string(*body, "password")};
  auto session =
      co_await services.auth.setup(std::move(code), std::move(username), std::move(password));
  TRIBUTARY_CO_TRY(session);
  co_return signed_in(request, *session, 201);
}

Task<Answer> login(Services& services, Request& request) {
  auto body = read_strings(request, {"username", "password"});
  TRIBUTARY_CO_TRY(body);
  request.audit_target = get_string(*body, "username");
  std::string username = get_string(*body, "username");
  std::string address = request.remote;
  Secret password{get_string(*body, "password")};
  auto session =
      co_await services.auth.login(std::move(username), std::move(password), std::move(address));
  TRIBUTARY_CO_TRY(session);
  co_return signed_in(request, *session, 200);
}

Task<Answer> logout(Services& services, Request& request) {
  const auth::Principal principal = request.principal;
  // Tokens and the control socket have no session to end.
  if (request.via == Via::kSession) {
    auto ended = co_await services.auth.logout(principal);
    TRIBUTARY_CO_TRY(ended);
  }
  Response response = Response::no_content();
  response.set("Set-Cookie", session_cookie("", request.secure));
  co_return response;
}

Task<Answer> get_me(Services&, Request& request) {
  Json json = json_object();
  json["name"] = request.principal.name;
  json["role"] = request.principal.role;
  json["via"] = std::string(to_string(request.via));
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
