// What happened last, for reports.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

// The newest rows of each connection, newest first.
Result<std::vector<HistoryRow>> newest_history(soci::session& sql,
                                               const std::vector<std::string>& connection_ids,
                                               std::size_t of_each);

}  // namespace tributary::store
