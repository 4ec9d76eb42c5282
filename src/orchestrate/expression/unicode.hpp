// JavaScript strings are UTF-16; ours are UTF-8. These functions answer as if they were UTF-16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tributary::orchestrate::expression {

// Bytes of the character that starts at `offset` (1 for a byte that is not valid UTF-8).
std::size_t character_size(std::string_view text, std::size_t offset);
void append_utf8(char32_t code_point, std::string& out);
std::size_t utf16_length(std::string_view text);
// The character at a UTF-16 index; one half of a surrogate pair is U+FFFD, since UTF-8 cannot hold
// it.
std::optional<std::string> utf16_unit(std::string_view text, std::size_t index);
// <0, 0, >0 by UTF-16 code units, which is how JavaScript orders strings.
int compare_utf16(std::string_view a, std::string_view b);
// Without leading and trailing WhiteSpace and LineTerminator (ECMA-262 12.2, 12.3).
std::string_view trim_js_space(std::string_view text);
// Bytes of the white space at the start; 0 when there is none.
std::size_t js_space_size(std::string_view text);

}  // namespace tributary::orchestrate::expression
