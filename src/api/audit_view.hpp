#pragma once

#include "model/json.hpp"
#include "store/rows.hpp"

namespace tributary::api {

// The schema AuditEntry.
Json audit_view(const store::AuditRow& row);

}  // namespace tributary::api
