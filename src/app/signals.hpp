// What the process does about signals and about itself.
#pragma once

namespace tributary::app {

// Writing to a client that has gone is an error value, not the end of the process.
void ignore_broken_pipes();

// SIGINT and SIGTERM wait until wait_for_stop() takes them. Before the first thread starts: threads
// inherit it.
void hold_stop_signals();
// Blocks until SIGINT or SIGTERM came; which one.
int wait_for_stop();

// No core dumps and no tracing (secrets are in memory), private files, and as many descriptors as
// allowed.
void harden_process();

}  // namespace tributary::app
