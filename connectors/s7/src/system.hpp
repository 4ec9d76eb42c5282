// Questions about the CPU itself, and what it can be told to do.
#pragma once

#include "base/secret.hpp"
#include "connectors/s7/src/channel.hpp"
#include "connectors/s7/src/lists.hpp"
#include "connectors/s7/src/operation.hpp"

namespace tributary::connectors::s7 {

// Opens a protected CPU for this connection. Error: kIdentity "wrong_password", and what a CPU
// without this function answers.
Task<Result<void>> unlock(Channel& channel, const Secret& password, SteadyTime deadline);

// Who answers. What the CPU does not tell stays empty. Errors: those of Channel::exchange.
Task<Result<CpuInfo>> read_info(Channel& channel, SteadyTime deadline);

// One record. Errors: kFunction "not_supported", "access_denied", "refused"; those of
// Channel::exchange.
Task<Result<Json>> answer(Channel& channel, SystemSettings::Question question, SteadyTime deadline);

// `now` is what the clock is set to when nothing else was said. Errors as above, with
// outcome_unknown when the answer did not come.
Task<Result<Json>> control(Channel& channel, const ControlWork& work, UtcTime now,
                           SteadyTime deadline);

}  // namespace tributary::connectors::s7
