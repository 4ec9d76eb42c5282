// If-Match: edits say which version they edit.
#pragma once

#include <cstdint>

#include "api/http.hpp"

namespace tributary::api {

std::string etag(std::int64_t version);

// 428 when the header is missing.
std::expected<void, Problem> require_if_match(const Request& request);

// What the header allows for a resource that is at `current`: the version to expect, or 0 for any
// ("*" or no header). 412 "precondition_failed" when the current version is not among those named.
std::expected<std::int64_t, Problem> expected_version(const Request& request, std::int64_t current);

}  // namespace tributary::api
