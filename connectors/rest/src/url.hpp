// URLs of one base: how paths and queries are made of templates and values so that nothing leaves
// it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/egress.hpp"
#include "model/json.hpp"

namespace tributary::connectors::rest {

// The profile's base URL.
struct Base {
  http::Target target;
  std::string path;  // "" or "/api/v1", without a slash at the end
};

// Errors: kConfiguration "invalid_url", pointer "/settings/baseUrl".
Result<Base> parse_base(std::string_view url);

// A path below the base, as it is sent: "/orders/7". Characters that a URL cannot hold are encoded.
// Error: kFunction "leaves_base" with `pointer`, for what could lead elsewhere: "..", "//", "\",
// "@", "?", "#", a scheme, control characters, also in encoded form.
Result<std::string> clean_path(std::string_view path, std::string_view pointer);
// The same for a template, whatever its placeholders will be.
Result<void> check_path_template(const std::string& path);
// The template with each ((placeholder)) replaced by its parameter, encoded: a value stays inside
// its segment. Errors: as clean_path; kFunction "missing_parameter", "invalid_parameter".
Result<std::string> fill_path(const std::string& path, const Json& parameters);

// "line=3&tag=a&tag=b" of an object of scalars and lists of them; null is left out. Error:
// kFunction "invalid_query".
Result<std::string> encode_query(const Json& query);

// Error: kFunction "url_too_long".
Result<std::string> make_url(const Base& base, std::string_view path, std::string_view query);

// The URL in <…> of the first link with rel="next" in a Link header (RFC 8288).
std::optional<std::string> next_link(std::string_view header);
// A link of an answer to `current`, absolute or relative, as a URL again. Error: kFunction
// "leaves_base" when it is not below the base.
Result<std::string> follow(const Base& base, std::string_view current, std::string_view link);

// A string as it is, a number or boolean as its text; nothing for the rest.
std::optional<std::string> scalar_text(const Json& value);

}  // namespace tributary::connectors::rest
