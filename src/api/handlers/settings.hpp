// What the settings of the hub as a whole are about: who may use it, what it keeps, how it is.
#pragma once

#include "api/http.hpp"
#include "api/services.hpp"

namespace tributary::api::handlers {

// users.cpp
Task<Answer> list_users(Services& services, Request& request);

// secret_list.cpp
Task<Answer> list_secrets(Services& services, Request& request);

// node_types.cpp
Task<Answer> list_node_types(Services& services, Request& request);

// log_levels.cpp
Task<Answer> get_log_levels(Services& services, Request& request);
Task<Answer> replace_log_levels(Services& services, Request& request);

// diagnostics.cpp
Task<Answer> get_diagnostics(Services& services, Request& request);

}  // namespace tributary::api::handlers
