// What is said about a value that breaks a rule. Private to this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/rules.hpp"

namespace tributary::schema {

// A value as it appears in a sentence: short, quoted when it is text.
std::string show(const Json& value);
// "holdingRegisters, coils, … (3 more)"
std::string list_values(const std::vector<Json>& values);

std::string wrong_type_sentence(Type type, const Json& value);
std::string unknown_sentence(std::string_view name, const std::vector<std::string>& known);
// "\"x\" has 1 character, at least 2 are needed"; `what` is "character" or "item".
std::string count_sentence(std::size_t count, std::size_t bound, bool too_many,
                           std::string_view what);

}  // namespace tributary::schema
