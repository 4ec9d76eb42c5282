#include "connectors/modbus/src/units.hpp"

#include <algorithm>

namespace tributary::connectors::modbus {
namespace {

// So many units that had answered before and now do not, one after another with no answer between
// them: it is the connection, whoever else may be there.
constexpr std::size_t kManyAtOnce = 3;

}  // namespace

// Those who may still show that the connection works.
std::bitset<256> Units::hoped_for() const {
  return (alive_.any() ? alive_ : policy_.known) & ~silent_;
}

bool Units::may_be_silent(std::uint8_t unit) const {
  auto others = hoped_for();
  others.reset(unit);
  return others.any() || policy_.patience > 1;
}

std::vector<std::uint8_t> Units::candidates() const {
  std::vector<std::uint8_t> list;
  const auto add = [&](const std::bitset<256>& units) {
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
      const bool listed = std::ranges::find(list, unit) != list.end();
      if (units.test(unit) && !listed) list.push_back(static_cast<std::uint8_t>(unit));
    }
  };
  add(alive_ & ~silent_);
  add(alive_);
  add(policy_.known & ~silent_);
  add(policy_.known);
  return list;
}

void Units::answered(std::uint8_t unit) {
  alive_.set(unit);
  silent_.reset();
  silences_ = 0;
  states_[unit] = {};
}

bool Units::silent(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why) {
  ++silences_;
  silent_.set(unit);
  if ((alive_ & silent_).count() >= kManyAtOnce) return true;
  if (hoped_for().none()) return silences_ >= policy_.patience;
  failed(unit, now, std::move(why));
  return false;
}

void Units::away(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why) {
  silent_.reset();
  silences_ = 0;
  failed(unit, now, std::move(why));
}

void Units::failed(std::uint8_t unit, SteadyTime now, std::shared_ptr<const Error> why) {
  State& state = states_[unit];
  if (++state.failures < policy_.rest_after) return;
  alive_.reset(unit);
  state.until = now + policy_.rest;
  state.why = std::move(why);
}

std::shared_ptr<const Error> Units::resting(std::uint8_t unit, SteadyTime now) const {
  return now < states_[unit].until ? states_[unit].why : nullptr;
}

bool Units::take_try(std::uint8_t unit, SteadyTime now) {
  State& state = states_[unit];
  if (now < state.until) return false;
  state.until = now + policy_.rest;
  return true;
}

}  // namespace tributary::connectors::modbus
