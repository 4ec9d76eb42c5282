#include "connectors/modbus/src/points.hpp"

#include <fmt/format.h>

#include <unordered_set>

#include "field/range.hpp"

namespace tributary::connectors::modbus {
namespace {

using Notation = ConnectionSettings::AddressNotation;

constexpr std::uint32_t kAddresses = 65536;

std::optional<Area> parse_area(std::string_view name) {
  if (name == "coils") return Area::kCoils;
  if (name == "discreteInputs") return Area::kDiscreteInputs;
  if (name == "holdingRegisters") return Area::kHoldingRegisters;
  if (name == "inputRegisters") return Area::kInputRegisters;
  return std::nullopt;
}

// The digit that manuals put in front of an address.
std::int64_t digit_of(Area area) {
  switch (area) {
    case Area::kCoils:
      return 0;
    case Area::kDiscreteInputs:
      return 1;
    case Area::kInputRegisters:
      return 3;
    case Area::kHoldingRegisters:
      return 4;
  }
  return 0;
}

std::optional<Area> area_of_digit(std::int64_t digit) {
  for (const Area area :
       {Area::kCoils, Area::kDiscreteInputs, Area::kInputRegisters, Area::kHoldingRegisters}) {
    if (digit_of(area) == digit) return area;
  }
  return std::nullopt;
}

std::int64_t digit_weight(Notation notation) {
  return notation == Notation::kFiveDigits ? 10'000 : 100'000;
}

std::unexpected<Error> bad_address(std::string message, std::string hint) {
  return fail(ErrorClass::kFunction, "out_of_range", std::move(message), std::move(hint),
              "address");
}

Result<Place> resolve_offset(std::int64_t address, std::optional<Area> area) {
  if (address < kAddresses)
    return Place{area.value_or(Area::kHoldingRegisters), static_cast<std::uint16_t>(address)};
  return bad_address(
      fmt::format("Address {} is above 65535.", address),
      "Addresses count from 0 here: 400001 of a manual is holding register 0. To write them as the "
      "manual does, set the connection's addressNotation to sixDigits.");
}

Result<Place> resolve_manual(Notation notation, std::int64_t address, std::optional<Area> area) {
  const bool five = notation == Notation::kFiveDigits;
  const std::int64_t weight = digit_weight(notation);
  const auto found = area_of_digit(address / weight);
  const std::int64_t number = address % weight;
  const std::int64_t last = five ? 9'999 : kAddresses;
  if (!found || number < 1 || number > last) {
    return bad_address(
        fmt::format("{} is no address in the notation of {} digits.", address, five ? 5 : 6),
        five ? "Coils are 1 to 9999, discrete inputs 10001 to 19999, input registers 30001 to "
               "39999, holding registers 40001 to 49999. For addresses of six digits set the "
               "connection's addressNotation to sixDigits, for those that count from 0 to offset."
             : "Coils are 1 to 65536, discrete inputs 100001 to 165536, input registers 300001 to "
               "365536, holding registers 400001 to 465536. For addresses of five digits set the "
               "connection's addressNotation to fiveDigits, for those that count from 0 to "
               "offset.");
  }
  if (area && *area != *found) {
    return fail(ErrorClass::kFunction, "not_allowed",
                fmt::format("Address {} is in {} in this notation, and the area says {}.", address,
                            to_text(*found), to_text(*area)),
                fmt::format("Leave the area empty, or write {} for this number in {}.",
                            digit_of(*area) * weight + number, to_text(*area)),
                "area");
  }
  return Place{*found, static_cast<std::uint16_t>(number - 1)};
}

template <typename SchemaPoint>
field::Format format_of(const SchemaPoint& from, const PointDefaults& defaults) {
  field::Format format;
  format.type =
      field::parse_data_type(to_string(from.data_type)).value_or(field::DataType::kUint16);
  format.order = defaults.order;
  if (from.byte_order)
    format.order = field::parse_byte_order(to_string(*from.byte_order)).value_or(defaults.order);
  format.length = static_cast<std::uint16_t>(from.length * 2);
  format.encoding =
      field::parse_encoding(to_string(from.encoding)).value_or(field::Encoding::kUtf8);
  if constexpr (requires { from.padding; })
    format.padding = field::parse_padding(to_string(from.padding)).value_or(field::Padding::kZero);
  format.bit = static_cast<std::uint8_t>(from.bit);
  format.bits = static_cast<std::uint8_t>(from.bits);
  if (from.scaling == SchemaPoint::Scaling::kFactor) {
    format.scaling = field::Scaling::factor(from.scale, from.offset);
    return format;
  }
  format.scaling.kind = from.scaling == SchemaPoint::Scaling::kLinear
                            ? field::ScalingKind::kLinear
                            : field::ScalingKind::kSquareRoot;
  format.scaling.raw_low = from.raw_low;
  format.scaling.raw_high = from.raw_high;
  format.scaling.low = from.low;
  format.scaling.high = from.high;
  format.scaling.clamp = from.clamp;
  return format;
}

std::unexpected<Error> refuse(const char* member, const char* code, std::string message,
                              std::string hint = {}) {
  return fail(ErrorClass::kFunction, code, std::move(message), std::move(hint), member);
}

// What the schema cannot say about one point. Pointers are names of members.
Result<void> check_format(const Point& point, const std::string& name,
                          std::uint16_t max_registers) {
  const field::DataType type = point.format.type;
  if (is_bit_area(point.area) && type != field::DataType::kBool) {
    return refuse("dataType", "not_allowed",
                  fmt::format("Point '{}' is in {}, which hold bool, not {}.", name,
                              to_text(point.area), field::to_string(type)));
  }
  if (!is_bit_area(point.area) && type == field::DataType::kBool) {
    return refuse(
        "dataType", "not_allowed",
        fmt::format("Point '{}' is in {}, which hold no bool.", name, to_text(point.area)),
        "Use dataType bit to read one bit of a register.");
  }
  if (!is_bit_area(point.area) && point.quantity > max_registers) {
    return refuse(type == field::DataType::kString ? "length" : "dataType", "out_of_range",
                  fmt::format("Point '{}' takes {} registers, one request carries {}.", name,
                              point.quantity, max_registers));
  }
  if (type == field::DataType::kBits && point.format.bit + point.format.bits > 16) {
    return refuse("bits", "out_of_range",
                  fmt::format("Point '{}' ends at bit {}; the last one of a register is 15.", name,
                              point.format.bit + point.format.bits - 1));
  }
  if (point.format.scaling.active() && !field::is_numeric(type)) {
    return refuse(
        point.format.scaling.kind == field::ScalingKind::kFactor ? "scale" : "scaling",
        "not_allowed",
        fmt::format("Point '{}' is a {}, which has no scaling.", name, field::to_string(type)));
  }
  if (auto scaling = field::check(point.format.scaling); !scaling) {
    scaling.error().message = fmt::format("Point '{}': {}", name, scaling.error().message);
    return scaling;
  }
  return {};
}

// Where the points of one row go, and whether they may.
class Builder {
 public:
  Builder(const PointDefaults& defaults, std::uint16_t max_registers, std::size_t most)
      : defaults_(defaults), max_registers_(max_registers), most_(most) {}

  template <typename SchemaPoint>
  Result<void> add(const SchemaPoint& from) {
    if (from.name.starts_with('$')) {
      return refuse("name", "not_allowed",
                    fmt::format("The name '{}' starts with $, which marks the hub's own fields of "
                                "a record.",
                                from.name));
    }
    auto names = field::expand_ranges(from.name, most_ - list_.points.size());
    if (!names) {
      names.error().pointer = "name";
      return std::unexpected(std::move(names.error()));
    }
    const auto area = from.area ? parse_area(to_string(*from.area)) : std::nullopt;
    const auto place = resolve_address(defaults_.notation, from.address, area);
    if (!place) return std::unexpected(place.error());
    Point point;
    point.area = place->area;
    point.unit = from.unit_id ? static_cast<std::uint8_t>(*from.unit_id) : defaults_.unit;
    point.format = format_of(from, defaults_);
    if (!is_bit_area(point.area))
      point.quantity = static_cast<std::uint16_t>((field::size_of(point.format) + 1) / 2);
    if (defaults_.on_a_line && point.unit == 0) {
      return refuse("unitId", "not_allowed",
                    "Unit 0 is everybody on a serial line, and nobody answers for all.",
                    "Give the address of the unit: 1 to 247.");
    }
    TRIBUTARY_TRY(check_format(point, from.name, max_registers_));
    const std::int64_t step = from.address_step.value_or(point.quantity);
    return place_all(*names, point, place->address, step);
  }

  PointList take() { return std::move(list_); }

 private:
  Result<void> place_all(std::vector<std::string>& names, Point point, std::int64_t address,
                         std::int64_t step) {
    for (std::string& name : names) {
      if (address + point.quantity > kAddresses) {
        return refuse("address", "out_of_range",
                      fmt::format("Point '{}' ends at address {}; the last one is 65535.", name,
                                  address + point.quantity - 1));
      }
      point.address = static_cast<std::uint16_t>(address);
      address += step;
      if (!known_.insert(name).second) {
        return refuse("name", "duplicate", fmt::format("There are two points '{}'.", name));
      }
      list_.points.push_back(point);
      list_.names.push_back(std::move(name));
    }
    return {};
  }

  const PointDefaults& defaults_;
  std::uint16_t max_registers_;
  std::size_t most_;
  PointList list_;
  std::unordered_set<std::string> known_;
};

template <typename SchemaPoint>
Result<PointList> build(const std::vector<SchemaPoint>& from, const PointDefaults& defaults,
                        std::string_view member, std::uint16_t max_registers, std::size_t most) {
  Builder builder(defaults, max_registers, most);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (auto added = builder.add(from[i]); !added) {
      added.error().pointer = fmt::format("/settings/{}/{}/{}", member, i, added.error().pointer);
      return std::unexpected(std::move(added.error()));
    }
  }
  return builder.take();
}

}  // namespace

PointDefaults::PointDefaults(const ConnectionSettings& settings,
                             std::optional<std::int64_t> function_unit)
    : unit(static_cast<std::uint8_t>(function_unit.value_or(settings.unit_id))),
      order(field::parse_byte_order(to_string(settings.byte_order))
                .value_or(field::ByteOrder::kAbcd)),
      notation(settings.address_notation),
      on_a_line(settings.transport != ConnectionSettings::Transport::kTcp &&
                settings.transport != ConnectionSettings::Transport::kUdp) {}

Result<Place> resolve_address(Notation notation, std::int64_t address, std::optional<Area> area) {
  return notation == Notation::kOffset ? resolve_offset(address, area)
                                       : resolve_manual(notation, address, area);
}

std::int64_t to_notation(Notation notation, Place place) {
  if (notation == Notation::kOffset) return place.address;
  return digit_of(place.area) * digit_weight(notation) + place.address + 1;
}

Result<PointList> make_points(const std::vector<ReadPoint>& from, const PointDefaults& defaults,
                              std::string_view member, std::uint16_t max_registers,
                              std::size_t most) {
  return build(from, defaults, member, max_registers, most);
}
Result<PointList> make_points(const std::vector<WritePoint>& from, const PointDefaults& defaults,
                              std::string_view member, std::uint16_t max_registers,
                              std::size_t most) {
  return build(from, defaults, member, max_registers, most);
}

}  // namespace tributary::connectors::modbus
