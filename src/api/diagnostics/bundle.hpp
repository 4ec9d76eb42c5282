// What somebody who helps from afar needs to know about a hub, and nothing that is secret.
#pragma once

#include "api/diagnostics/archive.hpp"
#include "api/services.hpp"

namespace tributary::api {

// GET /system: version, build, machine, memory, storage, spool, event loops.
Task<Json> system_view(Services& services);

// The archive as bytes. Errors: those of the store.
Task<Result<std::string>> make_diagnostics(Services& services);

}  // namespace tributary::api
