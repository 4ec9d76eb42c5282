// From the points of a function's settings to places in a device: areas and addresses in both
// notations, ranges, formats.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "connectors/modbus/settings.hpp"
#include "connectors/modbus/src/plan.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::modbus {

// What the connection says about all points.
struct PointDefaults {
  // `function_unit`: the unit that the function names, if it does.
  PointDefaults(const ConnectionSettings& settings, std::optional<std::int64_t> function_unit);

  std::uint8_t unit;
  field::ByteOrder order;
  ConnectionSettings::AddressNotation notation;
  bool on_a_line;  // unit 0 is a broadcast there, which nobody answers
};

struct Place {
  Area area = Area::kHoldingRegisters;
  std::uint16_t address = 0;

  friend bool operator==(const Place&, const Place&) = default;
};
// Reads an address in a notation. `area` is what the point says besides, or nothing. Errors:
// kFunction "out_of_range", "not_allowed" (address and area contradict each other), with "address"
// or "area" as pointer and a hint that names the other notation where that fits.
Result<Place> resolve_address(ConnectionSettings::AddressNotation notation, std::int64_t address,
                              std::optional<Area> area);
// The inverse, as a person writes it: "40011". For messages and tests.
std::int64_t to_notation(ConnectionSettings::AddressNotation notation, Place place);

// Points and their names, in the order of the settings, ranges expanded.
struct PointList {
  std::vector<Point> points;
  PointNames names;
};
// `member` is where the points stand in the settings ("points"); a value may take `max_registers`
// in one request; at most `most` points. Checks what the schema cannot. Errors: kFunction
// "not_allowed", "out_of_range", "bad_range", "too_many", "duplicate", with pointers such as
// "/settings/points/3/address".
Result<PointList> make_points(const std::vector<ReadPoint>& from, const PointDefaults& defaults,
                              std::string_view member, std::uint16_t max_registers,
                              std::size_t most);
Result<PointList> make_points(const std::vector<WritePoint>& from, const PointDefaults& defaults,
                              std::string_view member, std::uint16_t max_registers,
                              std::size_t most);

}  // namespace tributary::connectors::modbus
