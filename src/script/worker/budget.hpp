// The CPU time of the record that is evaluated. A timer of the process ticks while it computes
// (ITIMER_PROF), so asking costs nothing. Two answers to a record that takes too long: QuickJS asks
// spent() between its steps and ends the script; one long step (joining a list of 10⁹ elements)
// never asks, so the tick itself tells the hub and ends the process.
#pragma once

#include <cstdint>
#include <string>

namespace tributary::script::budget {

// Begins to tick. Before the sandbox is closed. False when the timer could not be had.
bool start();

// A record (or a check) begins. `finished`: answers that are not written yet, which the last tick
// writes; it must not change before end().
void begin(std::uint64_t cpu_ms, std::uint64_t record, const std::string& finished);
void end();
// The time is used up.
bool spent();
// CPU time since start().
std::uint64_t used_ms();

}  // namespace tributary::script::budget
