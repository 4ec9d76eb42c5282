// Which units behind a connection answer. A unit that does not is asked rarely, so that it costs
// its neighbours on the same gateway or line no time.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::connectors::modbus {

struct UnitPolicy {
  std::bitset<256> known;      // that the connection's functions ask, and its own
  std::size_t rest_after = 2;  // failures in a row after which a unit rests
  Duration rest{};             // how long
  std::size_t patience = 1;    // Channel::patience()
};

// Lives on the session's executor.
class Units {
 public:
  explicit Units(UnitPolicy policy) : policy_(policy) {}

  // Whether a time-out of this unit leaves the channel usable: somebody else may still answer.
  bool may_be_silent(std::uint8_t unit) const;

  void answered(std::uint8_t unit);
  // It gave no answer in time. True when nobody answers any more: the session is over.
  bool silent(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why);
  // A gateway said that it cannot reach it.
  void away(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why);

  // Why it is not asked now; null when it may be asked.
  std::shared_ptr<const Error> resting(std::uint8_t unit, SteadyTime now) const;
  // Whether it may be tried again; counts as tried from now on.
  bool take_try(std::uint8_t unit, SteadyTime now);
  bool rests(std::uint8_t unit) const { return states_[unit].why != nullptr; }
  // Of a unit that rests.
  std::shared_ptr<const Error> reason(std::uint8_t unit) const { return states_[unit].why; }
  // Whom to ask whether anybody is there: one that answered before, else one that has not been
  // found silent.
  std::vector<std::uint8_t> candidates() const;

 private:
  struct State {
    std::size_t failures = 0;
    SteadyTime until{};
    std::shared_ptr<const Error> why;  // null: does not rest
  };
  std::bitset<256> hoped_for() const;
  void failed(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why);

  UnitPolicy policy_;
  std::array<State, 256> states_;
  std::bitset<256> alive_;   // have answered in this session and do not rest
  std::bitset<256> silent_;  // since anybody answered last
  std::size_t silences_ = 0;
};

}  // namespace tributary::connectors::modbus
