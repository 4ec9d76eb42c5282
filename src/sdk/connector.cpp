#include "sdk/connector.hpp"

#include <algorithm>

namespace tributary::sdk {

const Secret* Profile::secret(std::string_view name) const {
  const auto found = std::ranges::find(
      secrets, name, [](const auto& each) { return std::string_view(each.first); });
  return found == secrets.end() ? nullptr : &found->second;
}

}  // namespace tributary::sdk
