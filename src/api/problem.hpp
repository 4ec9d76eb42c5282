// Refusals and failures as RFC 9457 problems. One table says which error code is which HTTP status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "connect/manager.hpp"
#include "model/json.hpp"
#include "schema/schema.hpp"

namespace tributary::api {

struct Problem {
  int status = 500;
  std::string code;    // stable, snake_case; the type is "/problems/" with it in kebab-case
  std::string title;   // the same for every problem of this code
  std::string detail;  // this one; never names of files, queries or the like
  std::string hint;
  std::vector<schema::FieldError> errors;
  std::optional<std::int64_t> retry_after_ms;
  std::vector<std::pair<std::string, std::string>> headers;  // Allow, WWW-Authenticate
  std::string log;                                           // what only the log may know

  Problem() = default;
  // With the title of the table.
  Problem(int status, std::string code, std::string detail, std::string hint = {});
  // Not explicit: a handler leaves with the error of whatever failed.
  Problem(const Error& error);               // NOLINT(google-explicit-constructor)
  Problem(const connect::Invalid& invalid);  // NOLINT(google-explicit-constructor)
  Problem(
      const std::variant<Error, connect::Invalid>& error);  // NOLINT(google-explicit-constructor)

  Json to_json(std::string_view correlation_id) const;
};

// 422 for a body that is wrong in one place.
Problem invalid_field(std::string pointer, std::string code, std::string message);

// {class, code, message, hint?, pointer?, retryAfterMs?, outcomeUnknown?}
Json to_json(const Error& error);

// "Not Found"; for the status line and as title of codes without their own.
std::string_view status_text(int status);

}  // namespace tributary::api
