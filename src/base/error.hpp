// Expected failures are values. An Error carries everything that decides what happens next (its
// class), what a program can match on (its code) and what a plant engineer reads (message and
// hint).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace tributary {

// How a failure is treated. Source: the connection lifecycle, section 4. The class drives the
// connection's state machine, so the code that meets a failure never decides about retries itself.
enum class ErrorClass : std::uint8_t {
  kTransient,  // refused, reset, timed out, unreachable: backoff, counts for the breaker
  kName,       // no such host: backoff with a floor of 10 s
  kBusy,  // the peer asks to come back later: honour retry_after, does not count for the breaker
  kIdentity,       // bad user or password: two tries per credential version, then Failed
  kTrust,          // certificate not acceptable: Failed, silent re-check
  kConfiguration,  // settings that cannot work: Failed until edited
  kTakeover,       // another client took the session
  kStandby,        // the peer is not the primary: next host
  kFunction,       // this call is wrong, the connection is fine: never counts for the connection
  kCancelled,      // we stopped it ourselves: nobody's fault, never shown as a cause
  kInternal,       // a defect or an exhausted resource of the hub
};

std::string_view to_string(ErrorClass error_class);

struct Error {
  ErrorClass error_class = ErrorClass::kInternal;
  std::string code;     // stable, snake_case, for example "connection_refused"
  std::string message;  // what was tried and what came back, for a person; never a secret
  std::string hint;     // what to do about it; may be empty
  std::string pointer;  // JSON pointer of the setting it is about, for example "/settings/host";
                        // may be empty
  std::optional<std::int64_t> retry_after_ms;  // what a busy peer asked for
  // Set for a write that was cut off between request and reply: it may or may not have happened
  // (lifecycle T8).
  bool outcome_unknown = false;

  Error() = default;
  Error(ErrorClass cls, std::string code_, std::string message_, std::string hint_ = {},
        std::string pointer_ = {})
      : error_class(cls),
        code(std::move(code_)),
        message(std::move(message_)),
        hint(std::move(hint_)),
        pointer(std::move(pointer_)) {}
};

template <typename T>
using Result = std::expected<T, Error>;

// return fail(ErrorClass::kTransient, "connection_refused", "…");
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}
inline std::unexpected<Error> fail(ErrorClass cls, std::string code, std::string message,
                                   std::string hint = {}, std::string pointer = {}) {
  return std::unexpected<Error>(
      Error(cls, std::move(code), std::move(message), std::move(hint), std::move(pointer)));
}

// True for the classes that end a session: the connection's actor must be told. kFunction,
// kCancelled and kInternal concern one call only.
bool is_connection_error(ErrorClass error_class);

}  // namespace tributary

// Leaves the enclosing function (or coroutine: TRIBUTARY_CO_TRY) with the error of a failed
// Result<void> or Result<T>.
#define TRIBUTARY_TRY(expression)                                              \
  do {                                                                         \
    if (auto&& tributary_result = (expression); !tributary_result.has_value()) \
      return std::unexpected(std::move(tributary_result.error()));             \
  } while (false)
#define TRIBUTARY_CO_TRY(expression)                                           \
  do {                                                                         \
    if (auto&& tributary_result = (expression); !tributary_result.has_value()) \
      co_return std::unexpected(std::move(tributary_result.error()));          \
  } while (false)
