// "Did you mean …?" for names that people type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::schema {

// The known name that `name` is most likely a slip of: other capitals, one or two letters wrong,
// missing, doubled or swapped (a third of the name at most). nullopt when none is near.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& known);

}  // namespace tributary::schema
