// The one place every request passes: route, credentials, forged-request check, preconditions,
// idempotency, headers, counting. Lives on the control executor.
#pragma once

#include <memory>
#include <optional>

#include "api/http.hpp"
#include "api/idempotency.hpp"
#include "api/router.hpp"
#include "api/services.hpp"
#include "base/web_asset.hpp"

namespace tributary::api {

class Dispatcher {
 public:
  Dispatcher(Services& services, std::span<const Route> routes, std::span<const WebAsset> assets);

  // Decides on the head alone, before the body is read. An answer: send it, the body does not
  // matter. nullopt: read the body and call handle(). Sets the request's route, parameters and
  // principal.
  std::optional<Response> admit(Request& request);
  // Runs the handler. `request` must live until the answer, and its stream, have ended.
  Task<Response> handle(Request& request);
  // The answer for a request that could not even be read.
  Response refuse_unread(const Request& request, Problem problem);

 private:
  std::expected<void, Problem> authenticate(Request& request) const;
  std::expected<void, Problem> check_policy(Request& request) const;
  std::expected<std::optional<Response>, Problem> admit_or_refuse(Request& request);
  // A call of a webhook: the pipeline decides who may call, not the hub's users.
  std::expected<std::optional<Response>, Problem> admit_call(Request& request) const;
  Response finish(const Request& request, Response response) const;
  Response problem_response(const Request& request, const Problem& problem) const;
  void audit(const Request& request, const Answer& answer) const;
  void count(const Request& request, const Response& response) const;

  Services& services_;
  Router router_;
  std::span<const WebAsset> assets_;
  Idempotency idempotency_;
};

// The name of the session cookie: "__Host-tributary" over TLS, "tributary" without.
std::string_view session_cookie_name(bool secure);
// The Set-Cookie value that stores (or, when `value` is empty, removes) the session.
std::string session_cookie(std::string_view value, bool secure);
// The value of one cookie of a Cookie header; empty when absent.
std::string_view find_cookie(std::string_view header, std::string_view name);
// True when the Origin header names this server, or when there is none.
bool is_same_origin(const Request& request);

}  // namespace tributary::api
