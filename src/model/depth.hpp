// How deep a document that came from outside may be nested.
#pragma once

#include "model/json.hpp"

namespace tributary {

// Whether a payload can become part of a record: a record and what carries it (a batch, a stored
// event) put levels around it, and a payload as deep as JSON may be could not be read again further
// on.
bool fits_into_record(const Json& payload);

}  // namespace tributary
