#include "api/problem.hpp"

#include <algorithm>
#include <array>

namespace tributary::api {
namespace {

struct Known {
  std::string_view code;
  int status;
  std::string_view title;
};

// Every code that has a status or a title of its own. The rest follows from the error's class.
constexpr std::array kKnown{
    Known{"address_not_allowed", 403, "Not from this address"},
    Known{"already_running", 409, "It is already running"},
    Known{"bad_request", 400, "The request cannot be read"},
    Known{"browse_not_supported", 409, "This connection cannot be browsed"},
    Known{"certificate_expired", 409, "The certificate has expired"},
    Known{"certificate_in_use", 409, "The certificate is in use"},
    Known{"certificate_not_rejected", 409, "The certificate was not rejected"},
    Known{"connection_busy", 409, "The connection is busy"},
    Known{"connection_disconnected", 409, "The connection is down"},
    Known{"connection_failed", 409, "The connection has failed"},
    Known{"connection_not_running", 409, "The connection is not running"},
    Known{"connection_running", 409, "The connection is running"},
    Known{"connection_suspended", 409, "The connection is suspended"},
    Known{"csrf_check_failed", 403, "The request may have been forged"},
    Known{"draft_outdated", 409, "The pipeline has changed since the draft was begun"},
    Known{"disk_full", 507, "The disk is full"},
    Known{"function_breaker_open", 503, "The function rests after failures"},
    Known{"hook_replayed", 401, "The call was taken before"},
    Known{"hook_unauthorized", 401, "The call is not authentic"},
    Known{"hook_unavailable", 503, "The call cannot be checked"},
    Known{"hub_stopping", 503, "The hub is stopping"},
    Known{"idempotency_in_progress", 409, "The first request is still being worked on"},
    Known{"idempotency_key_reused", 422, "The key was used for another request"},
    Known{"in_use", 409, "It is in use"},
    Known{"input_not_kept", 409, "The input was not kept"},
    Known{"invalid_body", 422, "The request is not valid"},
    Known{"invalid_credentials", 401, "User or password is wrong"},
    Known{"invalid_cursor", 400, "The cursor is not valid"},
    Known{"invalid_json", 400, "The body is not JSON"},
    Known{"invalid_parameter", 400, "A query parameter is not valid"},
    Known{"invalid_settings", 422, "The settings are not valid"},
    Known{"invalid_time", 400, "The time is not valid"},
    Known{"invalid_username", 422, "The user name cannot be used"},
    Known{"method_not_allowed", 405, "This method is not possible here"},
    Known{"missing_parameter", 422, "A parameter is missing"},
    Known{"name_taken", 409, "The name is taken"},
    Known{"no_answer", 502, "The pipeline gave no answer"},
    Known{"no_answer_in_time", 504, "The pipeline gave no answer in time"},
    Known{"no_draft", 404, "There is no draft"},
    Known{"no_manual_trigger", 409, "The pipeline has no manual trigger"},
    Known{"not_a_subscription", 409, "The function is not a subscription"},
    Known{"not_authenticated", 401, "Sign in first"},
    Known{"not_found", 404, "Not found"},
    Known{"not_running", 409, "The connection is not running"},
    Known{"payload_too_large", 413, "The body is too large"},
    Known{"pipeline_busy", 409, "The pipeline is busy"},
    Known{"pipeline_disabled", 409, "The pipeline is disabled"},
    Known{"precondition_failed", 412, "It has changed in the meantime"},
    Known{"precondition_required", 428, "If-Match is missing"},
    Known{"request_timeout", 408, "The request came too slowly"},
    Known{"run_active", 409, "The run is at work"},
    Known{"run_finished", 409, "The run is over"},
    Known{"session_required", 403, "A signed-in person must do this"},
    Known{"setup_code_expired", 403, "The setup code has expired"},
    Known{"setup_code_wrong", 403, "The setup code is wrong"},
    Known{"setup_done", 409, "Setup is done already"},
    Known{"store_closed", 503, "The hub is stopping"},
    Known{"too_many_notices", 409, "There are too many notices"},
    Known{"too_many_calls", 429, "Too many calls"},
    Known{"too_many_attempts", 429, "Too many attempts"},
    Known{"too_many_clients", 503, "Too many clients"},
    Known{"too_many_tests", 503, "Too many tests are at work"},
    Known{"trigger_gone", 409, "The trigger is gone"},
    Known{"unsupported_media_type", 415, "The body must be JSON"},
    Known{"version_conflict", 412, "It has changed in the meantime"},
    Known{"weak_password", 422, "The password is too weak"},
};

const Known* find_known(std::string_view code) {
  auto found = std::ranges::find(kKnown, code, &Known::code);
  return found == kKnown.end() ? nullptr : &*found;
}

int status_of(const Error& error) {
  if (const Known* known = find_known(error.code)) return known->status;
  switch (error.error_class) {
    case ErrorClass::kFunction:
      return error.pointer.empty() ? 409 : 422;
    case ErrorClass::kConfiguration:
      return 422;
    case ErrorClass::kBusy:
    case ErrorClass::kCancelled:
      return 503;
    case ErrorClass::kInternal:
      return 500;
    case ErrorClass::kTransient:
    case ErrorClass::kName:
    case ErrorClass::kIdentity:
    case ErrorClass::kTrust:
    case ErrorClass::kTakeover:
    case ErrorClass::kStandby:
      return 502;
  }
  return 500;
}

bool is_about_settings(const schema::FieldError& error) {
  for (std::string_view member :
       {"/reason", "/until", "/input", "/parameters", "/start", "/until", "/trigger", "/pins",
        "/now", "/destinations", "/reads", "/nodes"}) {
    if (error.pointer.starts_with(member)) return false;
  }
  return true;
}

}  // namespace

std::string_view status_text(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 414:
      return "URI Too Long";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

Problem::Problem(int status_, std::string code_, std::string detail_, std::string hint_)
    : status(status_), code(std::move(code_)), detail(std::move(detail_)), hint(std::move(hint_)) {
  const Known* known = find_known(code);
  title = known ? known->title : status_text(status);
}

Problem::Problem(const Error& error)
    : Problem(status_of(error), error.code, error.message, error.hint) {
  retry_after_ms = error.retry_after_ms;
  if (status == 422 && !error.pointer.empty()) {
    errors.push_back({error.pointer, error.code, error.message});
  }
  if (status == 500) {
    // What failed inside is for the log; the caller gets an id to ask for.
    log = error.code + ": " + error.message;
    code = "internal_error";
    title = "The hub failed";
    detail = "Something failed inside the hub. Its log has the details under the correlation id.";
    hint.clear();
  } else if (error.error_class == ErrorClass::kInternal) {
    log = error.code + ": " + error.message;
    detail = title + ".";
  }
}

Problem::Problem(const connect::Invalid& invalid) : errors(invalid.errors) {
  const bool settings = errors.empty() || std::ranges::any_of(errors, is_about_settings);
  status = 422;
  code = settings ? "invalid_settings" : "invalid_body";
  title = find_known(code)->title;
  if (!errors.empty()) detail = errors.front().pointer + ": " + errors.front().message;
}

Problem::Problem(const std::variant<Error, connect::Invalid>& error)
    : Problem(error.index() == 0 ? Problem(std::get<0>(error)) : Problem(std::get<1>(error))) {}

Problem invalid_field(std::string pointer, std::string code, std::string message) {
  Problem problem(422, "invalid_body", pointer + ": " + message);
  problem.errors.push_back({std::move(pointer), std::move(code), std::move(message)});
  return problem;
}

Json Problem::to_json(std::string_view correlation_id) const {
  std::string type = "/problems/" + code;
  std::ranges::replace(type, '_', '-');
  Json json = json_object();
  json["type"] = type;
  json["title"] = title;
  json["status"] = status;
  if (!detail.empty()) json["detail"] = detail;
  json["code"] = code;
  if (!hint.empty()) json["hint"] = hint;
  json["correlationId"] = std::string(correlation_id);
  if (retry_after_ms) json["retryAfterMs"] = *retry_after_ms;
  if (!errors.empty()) {
    Json list = json_array();
    for (const auto& error : errors) {
      Json entry = json_object();
      entry["pointer"] = error.pointer;
      entry["code"] = error.code;
      entry["message"] = error.message;
      list.push_back(std::move(entry));
    }
    json["errors"] = std::move(list);
  }
  return json;
}

Json to_json(const Error& error) {
  Json json = json_object();
  json["class"] = std::string(to_string(error.error_class));
  json["code"] = error.code;
  json["message"] = error.message;
  if (!error.hint.empty()) json["hint"] = error.hint;
  if (!error.pointer.empty()) json["pointer"] = error.pointer;
  if (error.retry_after_ms) json["retryAfterMs"] = *error.retry_after_ms;
  if (error.outcome_unknown) json["outcomeUnknown"] = true;
  return json;
}

}  // namespace tributary::api
