// A name for one record on its way to a receiver: the same in every attempt. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/json.hpp"

namespace tributary::http {

// 64 hexadecimal digits of `what` (who sends where) and the caller's parameters. What a delivery
// adds to a record that comes late ($meta.backfill) makes no difference.
std::string record_key(std::string_view what, const Json& parameters);

// Whether the parameters say which record they are: they or their payload have $meta. Two events
// with the same content are otherwise not told apart.
bool names_a_record(const Json& parameters);

}  // namespace tributary::http
