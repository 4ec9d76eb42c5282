// Requests, made of a function's settings and the caller's parameters by structured encoders. Pure.
#pragma once

#include <string>

#include "connectors/rest/settings.hpp"
#include "http/client.hpp"

namespace tributary::connectors::rest {

struct Outgoing {
  std::string method;
  std::string path;  // encoded
  Json query;        // what stands behind the ?, before it is encoded
  http::Headers headers;
  std::string body;
  bool repeatable = false;  // the server recognises a repeat
};

// Errors: kFunction, those of fill_path; "missing_body", "invalid_body", "invalid_base64",
// "invalid_header", "body_not_taken" (GET, HEAD, DELETE and OPTIONS have none), "several_records".
Result<Outgoing> make_outgoing(const RequestSettings& settings, const Json& parameters);
Result<Outgoing> make_outgoing(const SendSettings& settings, const Json& parameters);
// A GET for values.
Result<Outgoing> make_outgoing(const std::string& path, const Json& query, const Json& headers,
                               const Json& parameters);

// Whether these headers may be set by people: no line breaks, and none of those that the hub or the
// login sets. Error: `error_class` "invalid_header" with a pointer below `pointer`.
Result<http::Headers> read_headers(const Json& headers, ErrorClass error_class,
                                   std::string_view pointer);
// Those of `over` take the place of those with the same name.
void merge_headers(http::Headers& headers, const http::Headers& over);

constexpr std::size_t kMaxBody = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kMaxRecords = 10'000;  // in one call

}  // namespace tributary::connectors::rest
