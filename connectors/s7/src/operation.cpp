#include "connectors/s7/src/operation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/s7/src/address.hpp"
#include "field/range.hpp"
#include "sdk/points.hpp"

namespace tributary::connectors::s7 {
namespace {

// A list of points may stand for more than it holds.
constexpr std::size_t kMaxPoints = 10'000;
// What every CPU grants at least in practice: round trips are counted with it.
constexpr std::size_t kUsualPdu = 240;

std::unexpected<Error> refuse(const char* member, const char* code, std::string message,
                              std::string hint = {}) {
  return fail(ErrorClass::kFunction, code, std::move(message), std::move(hint), member);
}

std::optional<Type> type_of_width(Width width) {
  switch (width) {
    case Width::kBit:
      return Type::kBool;
    case Width::kByte:
      return Type::kByte;
    case Width::kWord:
      return Type::kWord;
    case Width::kDouble:
      return Type::kDword;
    case Width::kNone:
      break;
  }
  return std::nullopt;
}

// What of the address and what of the settings says the type; both may, when they agree.
Result<Type> type_of(const Address& address, const std::optional<Type>& wanted) {
  if (is_counted(address.area)) {
    const bool timer = address.area == Area::kTimers;
    const Type type = wanted.value_or(timer ? Type::kS5time : Type::kCounter);
    const bool fits = type == Type::kWord || type == (timer ? Type::kS5time : Type::kCounter);
    if (fits) return type;
    return refuse("dataType", "not_allowed",
                  fmt::format("A {} holds no {}.", timer ? "timer" : "counter", to_string(type)),
                  timer ? "Timers are S5TIME, or WORD as they are."
                        : "Counters are COUNTER, or WORD as they are.");
  }
  if (address.type) {
    if (!wanted || *wanted == *address.type) return *address.type;
    return refuse("dataType", "not_allowed",
                  fmt::format("The address says {}, the data type {}.", to_string(*address.type),
                              to_string(*wanted)),
                  "Leave the data type empty, or write DBB and the byte.");
  }
  const Type type = wanted.value_or(type_of_width(address.width).value_or(Type::kByte));
  if ((address.width == Width::kBit) != (type == Type::kBool)) {
    return refuse("dataType", "not_allowed",
                  fmt::format("{} is {}, and {} is {}.", to_string(address),
                              address.width == Width::kBit ? "one bit" : "no bit", to_string(type),
                              type == Type::kBool ? "one bit" : "none"),
                  "Bits are written DB1.DBX0.3 or M0.3, bytes DB1.DBB0 or MB0.");
  }
  const std::size_t size = element_size({.type = type, .length = 0});
  const bool fits = address.width == Width::kBit || address.width == Width::kByte ||
                    (address.width == Width::kWord && size == 2) ||
                    (address.width == Width::kDouble && (size == 4 || size == 8));
  if (fits) return type;
  return refuse("dataType", "not_allowed",
                fmt::format("{} is {} bytes, a {} takes {}.", to_string(address),
                            address.width == Width::kWord ? 2 : 4, to_string(type), size),
                "DBB and the byte fits every type.");
}

bool is_text(Type type) {
  return type == Type::kString || type == Type::kWstring;
}

Result<void> set_length(const Point& point, const Address& address, Layout& layout) {
  const std::uint16_t most = layout.type == Type::kString ? kMaxString : kMaxWstring;
  if (!is_text(layout.type)) {
    if (!point.length) return {};
    return refuse("length", "not_allowed",
                  fmt::format("A {} has no length.", to_string(layout.type)),
                  "For a list set count.");
  }
  if (point.length && address.extra != 0 && *point.length != address.extra) {
    return refuse("length", "not_allowed",
                  fmt::format("The address says {} characters, the length {}.", address.extra,
                              *point.length));
  }
  const std::int64_t wanted = point.length.value_or(address.extra);
  if (wanted > most) {
    return refuse(point.length ? "length" : "address", "out_of_range",
                  fmt::format("{} characters are more than a {} holds ({}).", wanted,
                              to_string(layout.type), most));
  }
  if (wanted > 0) layout.length = static_cast<std::uint16_t>(wanted);
  return {};
}

Result<void> set_count(const Point& point, const Address& address, Layout& layout) {
  const std::uint16_t extra = is_text(layout.type) ? std::uint16_t{0} : address.extra;
  if (point.count > 1 && extra > 0 && point.count != extra) {
    return refuse("count", "not_allowed",
                  fmt::format("The address says {} values, the count {}.", extra, point.count));
  }
  layout.count = static_cast<std::uint16_t>(std::max<std::int64_t>(point.count, extra));
  return {};
}

field::Scaling scaling_of(const Point& point) {
  if (point.scaling == Point::Scaling::kFactor)
    return field::Scaling::factor(point.scale, point.offset);
  field::Scaling scaling;
  scaling.kind = point.scaling == Point::Scaling::kLinear ? field::ScalingKind::kLinear
                                                          : field::ScalingKind::kSquareRoot;
  scaling.raw_low = point.raw_low;
  scaling.raw_high = point.raw_high;
  scaling.low = point.low;
  scaling.high = point.high;
  scaling.clamp = point.clamp;
  return scaling;
}

Result<void> check_size(const Variable& variable) {
  constexpr std::size_t kMaxSize = 65'535;
  const std::size_t size = variable.bytes();
  if (size > kMaxSize) {
    return refuse("count", "out_of_range",
                  fmt::format("It takes {} bytes; a value has at most {}.", size, kMaxSize));
  }
  const std::uint32_t last = is_counted(variable.area) ? 65'535 : kMaxByte;
  if (variable.end() > last + 1) {
    return refuse("address", "out_of_range",
                  fmt::format("It ends at {}; the last address is {}.", variable.end() - 1, last));
  }
  return {};
}

// The point at this place of a range.
void move_on(Variable& variable, const std::optional<std::int64_t>& step, std::size_t times) {
  const auto by = static_cast<std::uint32_t>(times);
  if (step) {
    variable.begin += by * static_cast<std::uint32_t>(*step);
  } else if (variable.layout.type == Type::kBool) {
    const std::uint32_t bit = variable.bit + by * variable.layout.count;
    variable.begin += bit / 8;
    variable.bit = static_cast<std::uint8_t>(bit % 8);
  } else {
    const std::size_t size = variable.bytes();
    // What is longer than a byte begins at even bytes.
    variable.begin += by * static_cast<std::uint32_t>(is_counted(variable.area) ? size / 2
                                                      : size == 1               ? 1
                                                                                : padded(size));
  }
}

struct Placed {
  std::shared_ptr<PointNames> names = std::make_shared<PointNames>();
  std::vector<Variable> variables;
};

std::unexpected<Error> at_point(Error error, std::size_t index, const std::string& name) {
  error.message = fmt::format("Point '{}': {}", name, error.message);
  error.pointer = fmt::format("/settings/points/{}/{}", index, error.pointer);
  return std::unexpected(std::move(error));
}

Result<void> place(const Point& point, std::size_t index, std::size_t most, Placed& placed) {
  auto variable = resolve(point);
  if (!variable) return at_point(std::move(variable.error()), index, point.name);
  auto names = field::expand_ranges(point.name, most - placed.variables.size());
  if (!names) {
    names.error().pointer = "name";
    return at_point(std::move(names.error()), index, point.name);
  }
  for (std::size_t i = 0; i < names->size(); ++i) {
    Variable here = *variable;
    move_on(here, point.address_step, i);
    if (auto fits = check_size(here); !fits)
      return at_point(std::move(fits.error()), index, (*names)[i]);
    placed.variables.push_back(here);
    placed.names->push_back(std::move((*names)[i]));
  }
  return {};
}

Result<Placed> place_all(const std::vector<Point>& points) {
  Placed placed;
  for (std::size_t i = 0; i < points.size(); ++i)
    TRIBUTARY_TRY(place(points[i], i, kMaxPoints, placed));
  auto sorted = *placed.names;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (twice != sorted.end()) {
    return fail(ErrorClass::kFunction, "not_allowed",
                fmt::format("Two points have the name '{}'.", *twice),
                "Do the ranges of two points overlap?", "/settings/points");
  }
  return placed;
}

std::size_t requests_for(std::span<const Variable> variables, const Limits& limits) {
  const auto blocks = make_blocks(variables, limits);
  std::vector<std::uint32_t> all(blocks.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  return std::max<std::size_t>(1, pack(blocks, all, limits).size());
}

Result<std::shared_ptr<const S7Operation>> prepare_read(const std::vector<Point>& points,
                                                        const Limits& limits, bool polled,
                                                        std::uint64_t id) {
  auto placed = place_all(points);
  if (!placed) return std::unexpected(std::move(placed.error()));
  const std::size_t trips = requests_for(placed->variables, limits);
  return std::make_shared<const S7Operation>(id, std::move(placed->names),
                                             ReadWork{std::move(placed->variables), polled}, trips);
}

Result<void> check_values(const WriteWork& work, const PointNames& names) {
  std::vector<std::byte> scratch;
  return sdk::check_values(work.values, names, [&](std::size_t point, const Json& value) {
    const Variable& variable = work.variables[point];
    scratch.assign(std::max<std::size_t>(variable.bytes(), variable.layout.count), std::byte{0});
    return encode(variable.layout, value, scratch);
  });
}

Result<std::shared_ptr<const S7Operation>> prepare_write(const WriteSettings& settings,
                                                         const Limits& limits, std::uint64_t id) {
  auto placed = place_all(settings.points);
  if (!placed) return std::unexpected(std::move(placed.error()));
  WriteWork work{std::move(placed->variables), settings.values,
                 settings.order == WriteSettings::Order::kOneByOne, settings.verify};
  TRIBUTARY_TRY(check_values(work, *placed->names));
  // Each value may need a request of its own or several, a text one more for a look at its length,
  // and all of them again to be read back.
  std::size_t trips = 0;
  for (const Variable& variable : work.variables) {
    const std::size_t size = std::max<std::size_t>(variable.bytes(), variable.layout.count);
    const std::size_t requests = 1 + size / longest_write(limits);
    trips += requests * (work.verify ? 2 : 1) + (is_text(variable.layout.type) ? 1 : 0);
  }
  return std::make_shared<const S7Operation>(id, std::move(placed->names), std::move(work), trips);
}

Result<std::shared_ptr<const S7Operation>> prepare_control(const ControlSettings& settings,
                                                           bool allowed, std::uint64_t id) {
  if (!allowed) {
    return fail(ErrorClass::kFunction, "not_allowed",
                "This connection does not allow to control the CPU (setting allowControl).",
                "Set allowControl in the connection's settings, and think of who may call this.",
                "/settings/action");
  }
  ControlWork work{settings.action, std::nullopt};
  if (!settings.time.empty() && settings.time.find("((") == std::string::npos) {
    work.time = parse_clock(settings.time);
    if (!work.time || !store_date_and_time(*work.time)) {
      return fail(ErrorClass::kFunction, "wrong_type",
                  fmt::format("'{}' is not a time of the years 1990 to 2089.", settings.time),
                  "Write it as 2026-03-31T13:45:12.", "/settings/time");
    }
  }
  return std::make_shared<const S7Operation>(id, nullptr, work, 1);
}

// Lists come in pieces.
constexpr std::size_t kSystemTrips = 12;

}  // namespace

Limits limits_of(const ConnectionSettings& settings, std::size_t granted_pdu) {
  return {std::min<std::size_t>(granted_pdu, static_cast<std::size_t>(settings.pdu_size)),
          static_cast<std::size_t>(settings.max_items),
          static_cast<std::uint32_t>(settings.max_gap_bytes)};
}

Result<Variable> resolve(const Point& point) {
  if (point.name.starts_with('$')) {
    return refuse("name", "not_allowed",
                  "The name starts with $, which marks the hub's own fields of a record.");
  }
  auto address = parse_address(point.address);
  if (!address) {
    address.error().pointer = "address";
    return std::unexpected(std::move(address.error()));
  }
  std::optional<Type> wanted;
  if (point.data_type) wanted = parse_type(to_string(*point.data_type));
  const auto type = type_of(*address, wanted);
  if (!type) return std::unexpected(type.error());
  Variable variable{address->area, address->db, address->begin, address->bit, {}};
  variable.layout.type = *type;
  TRIBUTARY_TRY(set_length(point, *address, variable.layout));
  TRIBUTARY_TRY(set_count(point, *address, variable.layout));
  variable.layout.scaling = scaling_of(point);
  if (variable.layout.scaling.active() && !is_number(*type)) {
    const bool factor = point.scaling == Point::Scaling::kFactor;
    return refuse(factor ? "scale" : "scaling", "not_allowed",
                  fmt::format("A {} has no scaling.", to_string(*type)));
  }
  if (auto usable = check(variable.layout.scaling); !usable)
    return std::unexpected(std::move(usable.error()));
  TRIBUTARY_TRY(check_size(variable));
  return variable;
}

Result<std::shared_ptr<const S7Operation>> prepare_operation(const Json& connection_settings,
                                                             const sdk::FunctionSpec& function,
                                                             std::uint64_t id) {
  const auto settings = ConnectionSettings::from_json(connection_settings);
  const Limits limits = limits_of(settings, kUsualPdu);
  if (function.type == "s7.read")
    return prepare_read(ReadSettings::from_json(function.settings).points, limits, false, id);
  if (function.type == "s7.subscribe")
    return prepare_read(SubscribeSettings::from_json(function.settings).points, limits, true, id);
  if (function.type == "s7.write")
    return prepare_write(WriteSettings::from_json(function.settings), limits, id);
  if (function.type == "s7.system") {
    const SystemWork work{SystemSettings::from_json(function.settings).question};
    return std::make_shared<const S7Operation>(id, nullptr, work, kSystemTrips);
  }
  if (function.type == "s7.control")
    return prepare_control(ControlSettings::from_json(function.settings), settings.allow_control,
                           id);
  return fail(ErrorClass::kConfiguration, "unknown_function",
              fmt::format("S7 has no function '{}'.", function.type),
              "It has s7.read, s7.write, s7.subscribe, s7.system and s7.control.", "/type");
}

}  // namespace tributary::connectors::s7
