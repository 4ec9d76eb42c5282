// Gives records to a destination, in order, and finds those that it refuses.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "orchestrate/delivery/outgoing.hpp"
#include "orchestrate/ports.hpp"

namespace tributary::orchestrate {

struct Destination {
  FunctionInfo function;
  Duration timeout{};
  // A write that may have reached the peer is sent again. Nobody wants that of a machine (edge case
  // 39).
  bool repeat_unknown = false;
  std::size_t max_records = 500;  // of one call, when the function takes batches
};

struct SendReport {
  // The first so many have ended: taken by the destination, or refused.
  std::size_t done = 0;
  std::vector<std::pair<std::size_t, Error>> refused;  // by place, ascending
  // Why the one behind them could not be tried to its end: the connection's fault or the
  // function's, not the record's. It may work later.
  std::optional<Error> obstacle;
  std::size_t tried = 0;  // how many were in the call that met the obstacle
};

// Stops at the first obstacle, and when twenty records in a row were refused. A batch that is refused is halved until the record that is to blame
// stands alone; the others are delivered, in order. Errors about the function itself (pointer below
// "/settings") are obstacles: they would meet every record.
// `stopped` is asked before every call.
Task<SendReport> send(FunctionPort& port, const Destination& destination,
                      std::span<const Outgoing> items, std::function<bool()> stopped);

// The parameters of a call about one record; of a function that takes batches: without "records".
Json arguments_of(const FunctionInfo& function, const Outgoing& outgoing);

// Errors that the connection's actor will get over.
bool will_pass(const Error& error);
// The first point of a write that was refused; the others were written.
std::optional<Error> refused_point(const Batch& batch);

}  // namespace tributary::orchestrate
