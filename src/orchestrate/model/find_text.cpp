#include "orchestrate/model/find_text.hpp"

#include <fmt/format.h>

namespace tributary::orchestrate {

std::string find_text(const Json& json, std::string_view text, const std::string& pointer) {
  if (json.is_string()) {
    return json.as_string_view().find(text) == std::string_view::npos ? std::string() : pointer;
  }
  std::string found;
  for (std::size_t i = 0; json.is_array() && found.empty() && i < json.size(); ++i) {
    found = find_text(json[i], text, fmt::format("{}/{}", pointer, i));
  }
  if (!json.is_object()) return found;
  for (const auto& member : json.object_range()) {
    if (!found.empty()) break;
    found = find_text(member.value(), text, pointer + "/" + escape_pointer(member.key()));
  }
  return found;
}

}  // namespace tributary::orchestrate
