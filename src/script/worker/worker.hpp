// The process that evaluates scripts: `tributary script-worker`, started by the hub only.
#pragma once

namespace tributary::script {

// Serves the channel (descriptor 0, a socket of the hub) until it is closed. Returns the exit code.
int run_worker();

}  // namespace tributary::script
