// Identifiers: ULIDs, 26 characters of Crockford base 32, sortable by the time they were made.
#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"
#include "base/time.hpp"

namespace tributary {

// A ULID of this moment. Two made in one millisecond sort in no particular order. Any thread;
// entropy from the operating system.
std::string make_id(UtcTime now);
bool is_id(std::string_view text);

}  // namespace tributary
