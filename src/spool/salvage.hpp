// A new spool out of what can be read of a damaged one.
#pragma once

#include <map>

#include "spool/database.hpp"
#include "spool/files.hpp"
#include "spool/format.hpp"

namespace tributary::spool {

// Builds a database that holds every whole entry, dead letter and state of the files in `paths`,
// and of `seen` the numbers of the queues where these are newer; what should wait and is not there
// is counted as lost. Puts it in the place of the old one, which is set aside. Without any files
// and numbers: an empty spool. Errors, kInternal: "disk_full", "spool_failed", "spool_unwritable".
Result<void> salvage(const Paths& paths, const std::map<std::int64_t, Slot>& seen, UtcTime now);

}  // namespace tributary::spool
