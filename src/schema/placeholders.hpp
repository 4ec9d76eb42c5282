// ((name)) placeholders in a function's settings: filled by whoever calls the function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::schema {

// Names used anywhere in the document's strings, each once, in order of appearance. A name is
// [A-Za-z_][A-Za-z0-9_]*.
std::vector<std::string> placeholder_names(const Json& settings);

// True when the text holds at least one ((name)).
bool has_placeholder(std::string_view text);

// A copy with every placeholder replaced. A string that is one placeholder and nothing else takes
// the parameter with its type; inside longer text it is replaced by its text. Error: kFunction
// "missing_parameter", pointer "/parameters/<name>". Members whose path is in `bound` (top level
// names, for example "query") are left alone: the connector binds them.
Result<Json> fill_placeholders(const Json& settings, const Json& parameters,
                               const std::vector<std::string>& bound = {});

}  // namespace tributary::schema
