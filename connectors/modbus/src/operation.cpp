#include "connectors/modbus/src/operation.hpp"

#include <fmt/format.h>

#include "connectors/modbus/settings.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

// The generated enums and ours have the same order, because both follow the schema; by name,
// nothing depends on it.
template <typename SchemaArea>
Area area_of(SchemaArea area) {
  const std::string_view name = to_string(area);
  if (name == "coils") return Area::kCoils;
  if (name == "discreteInputs") return Area::kDiscreteInputs;
  if (name == "inputRegisters") return Area::kInputRegisters;
  return Area::kHoldingRegisters;
}

struct Defaults {
  explicit Defaults(const ConnectionSettings& settings)
      : unit(static_cast<std::uint8_t>(settings.unit_id)),
        order(field::parse_byte_order(to_string(settings.byte_order))
                  .value_or(field::ByteOrder::kAbcd)),
        limits{static_cast<std::uint16_t>(settings.max_registers_per_read),
               static_cast<std::uint16_t>(settings.max_bits_per_read),
               static_cast<std::uint16_t>(settings.max_gap_registers)} {}
  std::uint8_t unit;
  field::ByteOrder order;
  Limits limits;
};

std::uint16_t registers_of(const field::Format& format) {
  return static_cast<std::uint16_t>((field::size_of(format) + 1) / 2);
}

template <typename SchemaPoint>
Point point_of(const SchemaPoint& from, const Defaults& defaults) {
  Point point;
  point.area = area_of(from.area);
  point.unit = from.unit_id ? static_cast<std::uint8_t>(*from.unit_id) : defaults.unit;
  point.address = static_cast<std::uint16_t>(from.address);
  point.format.type =
      field::parse_data_type(to_string(from.data_type)).value_or(field::DataType::kUint16);
  point.format.order = defaults.order;
  if (from.byte_order)
    point.format.order =
        field::parse_byte_order(to_string(*from.byte_order)).value_or(defaults.order);
  point.format.length = static_cast<std::uint16_t>(from.length * 2);
  if constexpr (requires { from.bit; }) point.format.bit = static_cast<std::uint8_t>(from.bit);
  point.format.scaling = field::Scaling::factor(from.scale, from.offset);
  point.quantity = is_bit_area(point.area) ? std::uint16_t{1} : registers_of(point.format);
  return point;
}

Result<void> check_point(const Point& point, const std::string& name, std::uint16_t max_registers,
                         std::size_t index) {
  const auto refuse = [&](const char* member, const char* code, std::string message,
                          std::string hint = {}) {
    return fail(ErrorClass::kFunction, code, std::move(message), std::move(hint),
                fmt::format("/settings/points/{}/{}", index, member));
  };
  if (name.starts_with('$')) {
    return refuse(
        "name", "not_allowed",
        fmt::format("The name '{}' starts with $, which marks the hub's own fields of a record.",
                    name));
  }
  const field::DataType type = point.format.type;
  if (is_bit_area(point.area) != (type == field::DataType::kBool)) {
    return is_bit_area(point.area)
               ? refuse("dataType", "not_allowed",
                        fmt::format("Point '{}' is in {}, which hold bool, not {}.", name,
                                    to_text(point.area), to_string(type)))
               : refuse("dataType", "not_allowed",
                        fmt::format("Point '{}' is in {}, which hold no bool.", name,
                                    to_text(point.area)),
                        "Use dataType bit to read one bit of a register.");
  }
  if (point.end() > 65536) {
    return refuse("address", "out_of_range",
                  fmt::format("Point '{}' ends at address {}; the last one is 65535.", name,
                              point.end() - 1));
  }
  if (!is_bit_area(point.area) && point.quantity > max_registers) {
    return refuse(type == field::DataType::kString ? "length" : "dataType", "out_of_range",
                  fmt::format("Point '{}' takes {} registers, one request carries {}.", name,
                              point.quantity, max_registers));
  }
  if (point.format.scaling.active() && !is_numeric(type)) {
    return refuse("scale", "not_allowed",
                  fmt::format("Point '{}' is a {}, which has no scale and no offset.", name,
                              to_string(type)));
  }
  if (const auto scaling = check(point.format.scaling); !scaling) {
    return refuse(scaling.error().pointer.c_str(), "out_of_range",
                  fmt::format("Point '{}': {}", name, scaling.error().message),
                  scaling.error().hint);
  }
  return {};
}

template <typename Settings>
Result<std::vector<Point>> points_of(const Settings& settings, const Defaults& defaults,
                                     std::uint16_t max_registers, PointNames& names) {
  std::vector<Point> points;
  points.reserve(settings.points.size());
  names.reserve(settings.points.size());
  for (const auto& from : settings.points) {
    points.push_back(point_of(from, defaults));
    TRIBUTARY_TRY(check_point(points.back(), from.name, max_registers, points.size() - 1));
    names.push_back(from.name);
  }
  return points;
}

template <typename Settings>
Result<std::shared_ptr<const ModbusOperation>> prepare_read(const Settings& settings,
                                                            const Defaults& defaults, bool polled,
                                                            std::uint64_t id) {
  auto names = std::make_shared<PointNames>();
  auto points = points_of(settings, defaults, defaults.limits.max_registers, *names);
  if (!points) return std::unexpected(std::move(points.error()));
  ReadWork work{std::move(*points), {}, polled};
  work.blocks = make_plan(work.points, defaults.limits);
  return std::make_shared<const ModbusOperation>(id, std::move(names), std::move(work));
}

bool is_placeholder(const Json& value) {
  return value.is_string() && value.as<std::string_view>().find("((") != std::string_view::npos;
}

// Values that are known now are checked now, so that a wrong one is found when the function is
// saved.
Result<void> check_values(const WriteWork& work, const PointNames& names) {
  if (!work.values.is_object()) return {};
  std::array<std::byte, 2 * kMaxWriteRegisters> scratch;
  for (const auto& member : work.values.object_range()) {
    const std::string pointer = "/settings/values/" + escape_pointer(member.key());
    const auto found = std::ranges::find(names, member.key());
    if (found == names.end()) {
      return fail(ErrorClass::kFunction, "unknown_point",
                  fmt::format("There is a value for '{}', but no such point.", member.key()),
                  "Name the points that are to be written in points.", pointer);
    }
    if (is_placeholder(member.value())) continue;
    const Point& point = work.points[static_cast<std::size_t>(found - names.begin())];
    Result<void> checked;
    if (is_bit_area(point.area)) {
      if (auto coil = field::encode_bool(member.value()); !coil)
        checked = std::unexpected(std::move(coil.error()));
    } else {
      checked = field::encode_value(point.format, member.value(),
                                    std::span(scratch).first(point.quantity * 2U));
    }
    if (!checked) {
      checked.error().message =
          fmt::format("Point '{}': {}", member.key(), checked.error().message);
      checked.error().pointer = pointer;
      return checked;
    }
  }
  return {};
}

Result<std::shared_ptr<const ModbusOperation>> prepare_write(const WriteSettings& settings,
                                                             const Defaults& defaults,
                                                             std::uint64_t id) {
  auto names = std::make_shared<PointNames>();
  auto points = points_of(settings, defaults, kMaxWriteRegisters, *names);
  if (!points) return std::unexpected(std::move(points.error()));
  WriteWork work{std::move(*points), settings.values,
                 settings.requests == WriteSettings::Requests::kMultiple};
  TRIBUTARY_TRY(check_values(work, *names));
  return std::make_shared<const ModbusOperation>(id, std::move(names), std::move(work));
}

}  // namespace

std::size_t ModbusOperation::round_trips() const {
  if (const auto* read = std::get_if<ReadWork>(&work_))
    return std::max<std::size_t>(1, read->blocks.size());
  return std::max<std::size_t>(1, std::get<WriteWork>(work_).points.size());
}

Result<std::shared_ptr<const ModbusOperation>> prepare_operation(const Json& connection_settings,
                                                                 const sdk::FunctionSpec& function,
                                                                 std::uint64_t id) {
  const Defaults defaults(ConnectionSettings::from_json(connection_settings));
  if (function.type == "modbus.read")
    return prepare_read(ReadSettings::from_json(function.settings), defaults, false, id);
  if (function.type == "modbus.subscribe") {
    return prepare_read(SubscribeSettings::from_json(function.settings), defaults, true, id);
  }
  if (function.type == "modbus.write")
    return prepare_write(WriteSettings::from_json(function.settings), defaults, id);
  return fail(ErrorClass::kConfiguration, "unknown_function",
              fmt::format("Modbus has no function '{}'.", function.type),
              "It has modbus.read, modbus.write and modbus.subscribe.", "/type");
}

}  // namespace tributary::connectors::modbus
