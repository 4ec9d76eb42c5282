// Getting connected: endpoints, trust, channel, login, and what the server says about itself.
#pragma once

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// As sdk::Session::open. Stages: "resolve", "tcp", "protocol" (the endpoints), "tls" (certificate
// and secure channel), "login".
Task<Result<sdk::PeerIdentity>> open_session(Shared state, SteadyTime deadline,
                                             net::StageObserver& stages);

// For the next session of the connection, when this one was not ended politely. Before what it has
// is dropped.
void leave_behind(State& state);

}  // namespace tributary::connectors::opcua
