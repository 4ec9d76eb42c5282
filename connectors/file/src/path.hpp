// Paths of functions: what they may look like, and what their parts stand for. Pure; that they stay
// below the root is root.hpp's, and the kernel's, matter.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::connectors::file {

constexpr std::size_t kMaxPath = 1024;
constexpr std::size_t kMaxName = 255;  // of one component

// Whether a path is made of names: relative, no "." or "..", nothing empty, no control characters.
// Error: kFunction "invalid_path", pointer "/settings/path".
Result<void> check_path(std::string_view path);

// Checks a template when it is saved, as far as it can be known then.
Result<void> check_template(std::string_view text);

// %Y %m %d %H %M of `now` in UTC, %%, and ((name)) from the parameters; then check_path. A value
// that holds a slash is refused, so that it stays within the part where it stands. Errors:
// kFunction "invalid_path", "missing_parameter".
Result<std::string> expand_path(std::string_view text, const Json& parameters, UtcTime now);

// "a/b.csv", 2 → "a/b.2.csv"; 0 leaves it as it is.
std::string numbered(const std::string& path, std::size_t number);

}  // namespace tributary::connectors::file
