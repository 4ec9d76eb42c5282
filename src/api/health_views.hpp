// What the API shows of status history and uptime.
#pragma once

#include "connect/health_desk.hpp"
#include "model/json.hpp"

namespace tributary::api {

Json connection_health_view(const connect::ConnectionHealth& health);
// Without active alarms and the link to the next page: the handler knows them.
Json system_health_view(const connect::SystemHealth& health);

// The columns of event_csv(), as the first line of a file.
std::string event_csv_head();
std::string event_csv(const store::HistoryRow& row);

}  // namespace tributary::api
