// Where in a document a text stands.
#pragma once

#include <string>
#include <string_view>

#include "model/json.hpp"

namespace tributary::orchestrate {

// The pointer of the first string that holds `text`, below `pointer`; empty when there is none.
std::string find_text(const Json& json, std::string_view text, const std::string& pointer);

}  // namespace tributary::orchestrate
