// What a script worker may still do once it has started: read and write its one channel, get
// memory, look at the clock, end. Everything else ends the process (SIGSYS).
#pragma once

#include <string>

namespace tributary::script {

// The channel to the hub; also what seccomp allows to be read and written.
constexpr int kChannel = 0;
// Address space beyond what the program itself takes.
constexpr std::size_t kWorkerMemoryBytes = 256U << 20;
// CPU time of a worker's whole life; the hub replaces it long before.
constexpr unsigned kWorkerCpuSeconds = 600;

// Closes every other descriptor, sets the limits (AS, CPU, NOFILE, FSIZE, CORE, NPROC …), gives up
// new privileges and debuggers, and closes the system call filter behind itself. Empty when all of
// it worked, else what did not: the worker must end then.
std::string enter_sandbox();

}  // namespace tributary::script
