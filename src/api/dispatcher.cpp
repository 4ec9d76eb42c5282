#include "api/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "api/handlers/hooks.hpp"
#include "api/metrics.hpp"
#include "api/preconditions.hpp"
#include "api/static_files.hpp"
#include "orchestrate/hooks/hook_desk.hpp"
#include "runtime/log.hpp"

namespace tributary::api {
namespace {

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// "/api/…" however it is spelled: such paths are never answered with a page of the web interface.
bool is_api_like(std::string_view path) {
  auto decoded = percent_decode(path, false);
  if (!decoded) return true;
  std::string_view rest = *decoded;
  while (!rest.empty() && (rest.front() == '/' || rest.front() == '.')) rest.remove_prefix(1);
  std::string_view first = rest.substr(0, rest.find('/'));
  return equals_ignoring_case(first, "api") || decoded->find("..") != std::string::npos;
}

bool is_json_type(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return equals_ignoring_case(type, "application/json") ||
         equals_ignoring_case(type, "application/merge-patch+json");
}

bool announces_body(const Request& request) {
  std::string_view length = request.header("content-length");
  return !request.header("transfer-encoding").empty() || (!length.empty() && length != "0");
}

std::expected<void, Problem> check_forgery(const Request& request) {
  std::string_view site = request.header("sec-fetch-site");
  if (!is_same_origin(request) || site == "cross-site" || site == "same-site") {
    return refuse(
        Problem(403, "csrf_check_failed", "The request comes from a page of another site."));
  }
  if (request.via != Via::kSession) return {};
  const bool marked = request.header("x-requested-with") == "tributary";
  const bool same_page =
      !request.header("origin").empty() && is_json_type(request.header("content-type"));
  if (marked || same_page) return {};
  return refuse(Problem(403, "csrf_check_failed",
                        "A request with the session cookie that changes something needs the header "
                        "X-Requested-With: tributary."));
}

Problem unauthorized() {
  Problem problem(
      401, "not_authenticated", "This needs a session or an access token.",
      "Sign in, or send Authorization: Bearer with a token of `tributary token create`.");
  problem.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tributary\"");
  return problem;
}

}  // namespace

std::string_view session_cookie_name(bool secure) {
  return secure ? "__Host-tributary" : "tributary";
}

std::string session_cookie(std::string_view value, bool secure) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}", session_cookie_name(secure),
                     value, secure ? "; Secure" : "", value.empty() ? "; Max-Age=0" : "");
}

std::string_view find_cookie(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    auto end = header.find(';');
    std::string_view part = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    auto equals = part.find('=');
    if (equals != std::string_view::npos && part.substr(0, equals) == name)
      return part.substr(equals + 1);
  }
  return {};
}

bool is_same_origin(const Request& request) {
  std::string_view origin = request.header("origin");
  if (origin.empty()) return true;
  std::string own = (request.secure ? "https://" : "http://") + std::string(request.header("host"));
  return equals_ignoring_case(origin, own);
}

Dispatcher::Dispatcher(Services& services, std::span<const Route> routes,
                       std::span<const WebAsset> assets)
    : services_(services), router_(routes), assets_(assets), idempotency_(services) {}

std::expected<void, Problem> Dispatcher::authenticate(Request& request) const {
  if (request.local) {
    request.principal = auth::Principal{"local", "admin", ""};
    request.via = Via::kLocal;
    return {};
  }
  std::string_view authorization = request.header("authorization");
  if (!authorization.empty()) {
    constexpr std::string_view kBearer = "bearer ";
    if (authorization.size() <= kBearer.size() ||
        !equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
      return refuse(unauthorized());
    }
    request.credential = std::string(authorization.substr(kBearer.size()));
    auto principal = services_.auth.check_token(request.credential);
    if (!principal) return refuse(unauthorized());
    request.principal = std::move(*principal);
    request.via = Via::kToken;
    return {};
  }
  std::string_view cookie =
      find_cookie(request.header("cookie"), session_cookie_name(request.secure));
  if (cookie.empty()) return refuse(unauthorized());
  request.credential = std::string(cookie);
  auto principal = services_.auth.check_session(request.credential);
  if (!principal) return refuse(unauthorized());
  request.principal = std::move(*principal);
  request.via = Via::kSession;
  return {};
}

std::expected<void, Problem> Dispatcher::check_policy(Request& request) const {
  if (request.route->policy != Policy::kPublic) {
    TRIBUTARY_TRY(authenticate(request));
  }
  if (request.route->policy == Policy::kPerson && request.via == Via::kToken) {
    return refuse(Problem(403, "session_required",
                          "Access tokens cannot make or revoke access tokens.",
                          "Sign in, or use `tributary token` on the machine of the hub."));
  }
  if (!is_safe(request.method)) return check_forgery(request);
  return {};
}

std::expected<std::optional<Response>, Problem> Dispatcher::admit_call(Request& request) const {
  request.route = &handlers::hook_route();
  auto limit = services_.engine.hooks()->admit(handlers::hook_call(request));
  if (!limit) return refuse(handlers::hook_problem(limit.error()));
  request.body_limit = *limit;
  return std::nullopt;
}

std::expected<std::optional<Response>, Problem> Dispatcher::admit_or_refuse(Request& request) {
  if (request.path.starts_with(orchestrate::hooks::kPrefix)) return admit_call(request);
  Router::Match match = router_.find(request.method, request.path);
  if (match.allow.empty() && !is_api_like(request.path)) {
    auto answer = static_answer(request, assets_);
    if (!answer) return refuse(std::move(answer.error()));
    return std::move(*answer);
  }
  if (!match.route) {
    // Whether a path exists is not for strangers to know.
    if (!match.is_public) {
      TRIBUTARY_TRY(authenticate(request));
    }
    if (match.allow.empty())
      return refuse(Problem(404, "not_found", "There is nothing at this address."));
    Problem problem(405, "method_not_allowed", fmt::format("Possible here: {}.", match.allow));
    problem.headers.emplace_back("Allow", match.allow);
    return refuse(std::move(problem));
  }
  request.route = match.route;
  request.parameters = std::move(match.parameters);
  TRIBUTARY_TRY(check_policy(request));
  auto dry_run = query_flag(request, "dryRun", false);
  TRIBUTARY_TRY(dry_run);
  request.dry_run = *dry_run && !is_safe(request.method);
  TRIBUTARY_TRY(query_bigint(request));
  if (request.route->body != Body::kNone && announces_body(request) &&
      !is_json_type(request.header("content-type"))) {
    return refuse(Problem(415, "unsupported_media_type",
                          "Send the body with Content-Type: application/json."));
  }
  if (request.method == "PUT" || request.method == "PATCH") {
    TRIBUTARY_TRY(require_if_match(request));
  }
  return std::nullopt;
}

std::optional<Response> Dispatcher::admit(Request& request) {
  auto decision = admit_or_refuse(request);
  if (!decision) {
    Response response = problem_response(request, decision.error());
    count(request, response);
    return response;
  }
  if (!decision->has_value()) return std::nullopt;
  Response response = finish(request, std::move(**decision));
  count(request, response);
  return response;
}

Task<Response> Dispatcher::handle(Request& request) {
  const SteadyTime begin = services_.runtime.clock().steady_now();
  std::optional<Answer> answer;
  std::string defect;
  try {
    answer.emplace(co_await idempotency_.run(request));
  } catch (const std::exception& error) {
    defect = error.what();
  }
  if (!answer) {
    Problem problem{Error(ErrorClass::kInternal, "internal_error", defect)};
    answer.emplace(refuse(std::move(problem)));
  }
  audit(request, *answer);
  Response response =
      *answer ? finish(request, std::move(**answer)) : problem_response(request, answer->error());
  services_.metrics.observe_duration(request.route->path,
                                     services_.runtime.clock().steady_now() - begin);
  count(request, response);
  co_return response;
}

Response Dispatcher::refuse_unread(const Request& request, Problem problem) {
  Response response = problem_response(request, problem);
  count(request, response);
  return response;
}

Response Dispatcher::problem_response(const Request& request, const Problem& problem) const {
  // What becomes of a webhook's calls is shown by its pipeline.
  const bool is_call = request.route == &handlers::hook_route();
  if (problem.status >= 500 && !is_call) {
    log::error(
        "api", "A request failed.",
        {{"correlationId", request.correlation_id},
         {"method", request.method},
         {"route", std::string(request.route ? request.route->path : std::string_view("-"))},
         {"status", std::to_string(problem.status)},
         {"error", problem.log.empty() ? problem.code + ": " + problem.detail : problem.log}});
  }
  Response response;
  response.status = problem.status;
  response.headers = problem.headers;
  response.set("Content-Type", "application/problem+json");
  const bool asks_to_wait = problem.status == 429 || problem.status == 503;
  if (problem.retry_after_ms && asks_to_wait) {
    response.set("Retry-After", std::to_string((*problem.retry_after_ms + 999) / 1000));
  }
  response.json = problem.to_json(request.correlation_id);
  return finish(request, std::move(response));
}

Response Dispatcher::finish(const Request& request, Response response) const {
  auto has = [&response](std::string_view name) {
    return std::ranges::any_of(response.headers, [&](const auto& header) {
      return equals_ignoring_case(header.first, name);
    });
  };
  if (response.json) {
    auto big = query_bigint(request);
    if (big && *big == BigInt::kString) stringify_big_integers(*response.json);
    response.body = to_text(*response.json);
    response.json.reset();
    if (!has("Content-Type")) response.set("Content-Type", "application/json");
  }
  if (!has("Cache-Control")) response.set("Cache-Control", "no-store");
  const std::string style =
      response.style_nonce.empty()
          ? ""
          : fmt::format(" style-src 'self' 'nonce-{}';", response.style_nonce);
  response.set(
      "Content-Security-Policy",
      fmt::format("default-src 'self';{} img-src 'self' data:; object-src 'none'; base-uri 'none'; "
                  "form-action 'self'; frame-ancestors 'none'",
                  style));
  // After the policy for the hub's own pages, that for what pipelines answer: whatever it is, a
  // browser takes it for a page of nobody. Of two policies both hold.
  if (request.route == &handlers::hook_route())
    response.set("Content-Security-Policy", "sandbox; default-src 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  if (request.secure) response.set("Strict-Transport-Security", "max-age=31536000");
  response.set("X-Correlation-Id", request.correlation_id);
  return response;
}

// One row for everything that changes something, and for every refusal of it.
void Dispatcher::audit(const Request& request, const Answer& answer) const {
  if (request.route->action.empty() || request.dry_run) return;
  Json detail = request.audit_detail;
  detail["via"] = std::string(to_string(request.via));
  if (!request.remote.empty()) detail["from"] = request.remote;
  detail["result"] = answer ? "done" : "refused";
  if (!answer) detail["code"] = answer.error().code;
  const std::string target =
      request.audit_target.empty() ? request.parameter("id") : request.audit_target;
  services_.auth.audit(request.principal, std::string(request.route->action), target,
                       std::move(detail));
}

void Dispatcher::count(const Request& request, const Response& response) const {
  services_.metrics.count_request(request.method,
                                  request.route ? request.route->path : std::string_view("other"),
                                  response.status);
}

}  // namespace tributary::api
