// Tables as comma-separated values: RFC 4180, and safe to open in a spreadsheet.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace tributary::api {

// A field of free text. A spreadsheet would take text that begins with = + - @, a tab, a carriage
// return, or the full-width forms of the signs, for a formula: an apostrophe in front makes it text
// (OWASP, CSV injection). Quoted where commas, quotes or line ends ask for it.
std::string csv_text(std::string_view text);

// Fields with commas between and CRLF behind.
std::string csv_line(std::initializer_list<std::string> fields);

}  // namespace tributary::api
