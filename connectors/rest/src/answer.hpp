// What a server answers: as errors, records and samples. Pure.
#pragma once

#include <span>
#include <string>

#include "connectors/rest/settings.hpp"
#include "http/client.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::rest {

// Nothing for 2xx and for `accepted`. Errors: 3xx kFunction "redirect_not_followed"; 401, 403, 407
// kIdentity "not_authorized"; 408, 425 kTransient "try_again"; 429 kBusy "rate_limited"; 503, and
// other 5xx with a Retry-After, kBusy "server_busy"; 501, 505 and the other 4xx kFunction
// "request_refused" (404 "not_found", 409 "conflict", 413 "body_too_large"); the other 5xx
// kTransient "server_failed".
Result<void> check_answer(const http::Answer& answer, std::span<const std::int64_t> accepted);

// {"status", "headers", "body", "format"}: the body as JSON, text or base64; format says which.
// Set-Cookie is left out. Error: kFunction "answer_not_json".
Result<Record> to_record(const http::Answer& answer, RequestSettings::AnswerFormat format);

// The body as a document. Error: kFunction "answer_not_json".
Result<Json> parse_body(const http::Answer& answer);

// The value at a JSON pointer (RFC 6901); null when there is none.
const Json* at_pointer(const Json& document, std::string_view pointer);
bool is_pointer(std::string_view text);

// One sample for each point; what is missing is bad.
Scan to_scan(const Json& document, std::span<const Point> points,
             std::shared_ptr<const PointNames> names, UtcTime now);

}  // namespace tributary::connectors::rest
