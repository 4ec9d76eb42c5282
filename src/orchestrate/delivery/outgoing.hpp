// What a destination is asked to take: one call, or one record of a call that takes many.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::orchestrate {

struct Outgoing {
  Json parameters = Json::null();  // of the call; null: the fields of the record
  // An element of "records" for functions that take batches; else the parameter "payload".
  std::optional<Json> record;
};

// As it lies in the spool and is shown in a dead letter: {"parameters"?, "record"?}.
std::string to_payload(const Outgoing& outgoing);
// Whether from_payload() can read it again: documents are nested at most kMaxJsonDepth deep, and
// the payload puts something around them.
bool fits_payload(const Outgoing& outgoing);
// Error: kInternal "payload_damaged".
Result<Outgoing> from_payload(std::string_view payload);

// Says in the record's $meta that it comes later than it was made: "backfill": true.
void mark_backfill(Outgoing& outgoing);

}  // namespace tributary::orchestrate
