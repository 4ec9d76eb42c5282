// Structured encoders: what makes a value one value in a URL, a form, a document or a line,
// whatever it holds. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tributary::http {

// Everything but letters, digits and -._~ becomes %XX (RFC 3986, section 2.3).
std::string percent_encode(std::string_view text);
// Nothing when a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);
// As percent_encode, with + for a blank (application/x-www-form-urlencoded).
std::string form_encode(std::string_view text);
// & < > " ' as references.
std::string html_escape(std::string_view text);

bool is_utf8(std::string_view text);
// ISO 8859-1 as UTF-8.
std::string from_latin1(std::string_view bytes);
std::string to_base64(std::string_view bytes);
// Blanks and line breaks are skipped; nothing when it is not base64.
std::optional<std::string> from_base64(std::string_view text);
// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

// For messages: at most `limit` bytes of what a peer said, in one line without control characters.
std::string excerpt(std::string_view text, std::size_t limit = 200);

}  // namespace tributary::http
