// What a session's operations ask through: the channel, whose turn it is, and which units answer.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "base/time.hpp"
#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/units.hpp"
#include "runtime/turns.hpp"

namespace tributary::connectors::modbus {

struct LinkOptions {
  Duration request_timeout{};
  Duration request_delay{};
  bool swapped_reads = false;
};

// Lives on the session's executor.
class Link {
 public:
  Link(std::unique_ptr<Channel> channel, Executor executor, Timers& timers, Clock& clock,
       LinkOptions options, UnitPolicy policy);

  using Buffer = std::array<std::byte, kMaxPduSize>;
  // Waits for the turn and asks; the reply's data is in `into`. Errors: those of
  // Channel::exchange: a connection class means that the session is over. A unit that alone gave no
  // answer is kFunction with the code of the silence. kFunction "timeout" when there was no turn
  // before the deadline.
  Task<Result<Reply>> ask(std::uint8_t unit, Request request, SteadyTime deadline, bool urgent,
                          Buffer& into);

  // For several requests at a time: the turn, and what ask() does besides.
  Task<Result<Turns::Turn>> take_turn(SteadyTime deadline, bool urgent);
  bool somebody_urgent_waits() const { return turns_.urgent_waits(); }
  Ask make_ask(std::uint8_t unit, const Request& request, SteadyTime deadline, bool urgent) const;
  // What an answer or an error says about the unit; the error for the caller.
  void heard(std::uint8_t unit, const Reply& reply, const Request& request);
  Error not_heard(const Ask& ask, Error error);

  // Whether a poll leaves this unit alone now: why, or null. On a channel with ids it is asked,
  // when its rest is over, without waiting for the answer.
  Task<std::shared_ptr<const Error>> rests(std::uint8_t unit, Request request, SteadyTime deadline);

  Channel& channel() { return *channel_; }
  Units& units() { return units_; }
  SteadyTime now() const { return timers_.now(); }
  const Clock& clock() const { return clock_; }
  const LinkOptions& options() const { return options_; }

 private:
  Task<void> pause();

  std::unique_ptr<Channel> channel_;
  Timers& timers_;
  Clock& clock_;
  LinkOptions options_;
  Turns turns_;
  Units units_;
  SteadyTime not_before_{};
};

}  // namespace tributary::connectors::modbus
