// Telling JavaScript from mistakes: what the native compiler does not know is handed to a script
// worker only when it looks like JavaScript; a misspelt name stays an error when it is saved.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrate/expression/program.hpp"

namespace tributary::orchestrate::expression {

// Words with which an expression of JavaScript can begin or go on ("new", "typeof", "in" …).
bool starts_javascript(std::string_view keyword);
// Names that scripts have besides those of expressions: Math, JSON, $fn …
bool is_javascript_name(std::string_view name);
// "=> …": the name in front of it is a parameter.
bool is_arrow_head(std::string_view behind_name);
// "(a, b) => …"
bool is_arrow_function(std::string_view from_parenthesis);

// Where the expression that starts at `offset` ends: the closing braces, outside of strings,
// templates, comments, regular expressions and other brackets. nullopt: it is not closed.
std::optional<std::size_t> find_javascript_end(std::string_view text, std::size_t offset);

// Tells `nodes` what a script mentions: $trigger, and $node("…") by ids that are written out.
void collect_names(std::string_view script, NodeNames& nodes);

}  // namespace tributary::orchestrate::expression
