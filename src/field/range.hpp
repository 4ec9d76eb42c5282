// Names that stand for many: "Motor[1..40].Speed". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tributary::field {

// [1..40] counts in brackets that stay ("Motor[1].Speed"); {1..40} counts without them
// ("Motor1.Speed"). {0..90..10} takes steps, {40..1} counts down, {01..40} keeps the width with
// zeros. With several ranges the last one counts fastest. Brackets and braces around anything
// without ".." are text. Returns one name for a text without ranges. Errors: kFunction "bad_range",
// "too_many" (more than `most` names).
Result<std::vector<std::string>> expand_ranges(std::string_view pattern, std::size_t most);

}  // namespace tributary::field
