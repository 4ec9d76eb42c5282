// A request and its answer, free of any HTTP library: what handlers see.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/event_channel.hpp"
#include "api/problem.hpp"
#include "auth/auth.hpp"
#include "model/json.hpp"
#include "model/value.hpp"
#include "runtime/task.hpp"

namespace tributary::api {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// How the caller proved who they are.
enum class Via : std::uint8_t { kNobody, kSession, kToken, kLocal };
std::string_view to_string(Via via);

struct Route;

struct Request {
  std::string method;  // "GET"
  std::string path;    // as sent, without the query
  Pairs query;         // decoded, in order
  Pairs headers;       // names in lower case, in order
  std::string body;
  bool secure = false;     // over TLS
  bool local = false;      // over the control socket, by this user
  bool websocket = false;  // asks to become a WebSocket
  std::string remote;      // address of the peer
  std::string correlation_id;

  // Set by the dispatcher before the handler runs.
  const Route* route = nullptr;
  Pairs parameters;  // of the path template, decoded
  auth::Principal principal;
  Via via = Via::kNobody;
  std::string credential;  // the token or cookie, for streams that must notice its end
  bool dry_run = false;
  // How long the body may be, when it is less than what the server reads. Set by the dispatcher.
  std::optional<std::uint64_t> body_limit;

  // Set by handlers for the audit row: what it was about (the path's {id} when empty) and what
  // changed, without secrets.
  std::string audit_target;
  Json audit_detail = json_object();

  // The header's value; empty when absent. `name` in lower case.
  std::string_view header(std::string_view name) const;
  std::optional<std::string_view> query_value(std::string_view name) const;
  const std::string& parameter(std::string_view name) const;
  connect::Actor actor() const { return {principal.name}; }
};

struct Response {
  int status = 200;
  Pairs headers;
  // One of the two. `json` becomes the body when it is set.
  std::optional<Json> json;
  std::string body;
  std::string_view
      static_body;  // used when `body` is empty: bytes that live as long as the process
  // The policy for inline styles of an HTML page; empty: none is allowed.
  std::string style_nonce;
  // The answer is a stream: called with the opened channel, which it may use until it returns.
  std::move_only_function<Task<void>(EventChannel& channel)> stream;
  // The body comes in parts and is as long as it is: called until it gives none. An error ends the
  // connection, so that nobody takes half an answer for a whole one.
  std::move_only_function<Task<Result<std::optional<std::string>>>()> parts;

  static Response of(Json json, int status = 200);
  static Response no_content();
  void set(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
  }
  std::string_view content() const { return body.empty() ? static_body : std::string_view(body); }
};

using Answer = std::expected<Response, Problem>;
inline std::unexpected<Problem> refuse(Problem problem) {
  return std::unexpected(std::move(problem));
}

// "%41b+c" → "Ab+c" (in queries "+" is a space). nullopt for broken escapes and NUL.
std::optional<std::string> percent_decode(std::string_view text, bool query);
std::string percent_encode(std::string_view text);
// "a=1&b=%20". nullopt when an escape is broken.
std::optional<Pairs> parse_query(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool contains_ignoring_case(std::string_view text, std::string_view part);

// Query parameters with their types. Errors: 400 "invalid_parameter".
std::expected<bool, Problem> query_flag(const Request& request, std::string_view name,
                                        bool fallback);
std::expected<std::int64_t, Problem> query_integer(const Request& request, std::string_view name,
                                                   std::int64_t fallback, std::int64_t minimum,
                                                   std::int64_t maximum);
std::expected<std::optional<UtcTime>, Problem> query_time(const Request& request,
                                                          std::string_view name);
std::expected<BigInt, Problem> query_bigint(const Request& request);

// The body as a JSON object. Errors: 400 "invalid_json", 422 when it is no object. An absent body
// is {} when optional.
std::expected<Json, Problem> body_object(const Request& request, bool optional = false);
// 422 for members that are not in `known`.
std::expected<void, Problem> refuse_unknown(const Json& body,
                                            std::initializer_list<std::string_view> known);

// Integers beyond ±2^53 become strings, at all depths.
void stringify_big_integers(Json& json);

}  // namespace tributary::api
