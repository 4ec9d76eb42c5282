// The connection test: one session of its own, stage by stage, with a cause and a remedy for the
// stage that fails.
#pragma once

#include "connect/manager.hpp"
#include "connect/profile.hpp"

namespace tributary::connect {

// Opens a session with the profile, reads once, closes it. Takes at most the connect and one
// request timeout. Runs on `executor`, which must be the caller's own.
Task<Diagnosis> diagnose(std::shared_ptr<const ConnectionConfig> config, sdk::Profile profile,
                         Executor executor, Clock& clock, Timers& timers, net::Network& network,
                         http::Client* http);

// The error as the diagnosis tells it: one of the stable keys "cannot_connect", "invalid_auth",
// "untrusted_certificate", "wrong_port_or_protocol", "permission_denied", "timeout", with a hint
// and a pointer where the connector gave none.
Error explain(Error error, std::string_view stage);

}  // namespace tributary::connect
