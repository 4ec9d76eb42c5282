#include "connectors/modbus/src/operation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/modbus/settings.hpp"
#include "connectors/modbus/src/points.hpp"
#include "field/codec.hpp"
#include "sdk/points.hpp"

namespace tributary::connectors::modbus {
namespace {

// The most points of a function, ranges expanded; the schemas allow as many rows.
constexpr std::size_t kMaxReadPoints = 10'000;
constexpr std::size_t kMaxWritePoints = 1'000;
// Requests of a diagnosis: identification in up to four parts, status, echo, event counter, and
// the counters of the line.
constexpr std::size_t kDiagnoseRequests = 12;

using Made = Result<std::shared_ptr<const ModbusOperation>>;

Limits limits_of(const ConnectionSettings& settings) {
  return {static_cast<std::uint16_t>(settings.max_registers_per_read),
          static_cast<std::uint16_t>(settings.max_bits_per_read),
          static_cast<std::uint16_t>(settings.max_gap_registers)};
}

Made make(std::uint64_t id, PointNames names, Work work) {
  return std::make_shared<const ModbusOperation>(
      id, std::make_shared<const PointNames>(std::move(names)), std::move(work));
}

template <typename Settings>
Made prepare_read(const Settings& settings, const ConnectionSettings& connection, bool polled,
                  std::uint64_t id) {
  const PointDefaults defaults(connection, settings.unit_id);
  const Limits limits = limits_of(connection);
  auto list =
      make_points(settings.points, defaults, "points", limits.max_registers, kMaxReadPoints);
  if (!list) return std::unexpected(std::move(list.error()));
  ReadWork work{std::move(list->points), {}, polled};
  work.blocks = make_plan(work.points, limits);
  return make(id, std::move(list->names), std::move(work));
}

Result<void> check_value(const Point& point, const Json& value) {
  std::array<std::byte, 2 * kMaxWriteRegisters> scratch;
  if (is_bit_area(point.area)) {
    const auto coil = field::encode_bool(value);
    if (!coil) return std::unexpected(coil.error());
    return {};
  }
  if (is_part_of_register(point.format)) {
    const auto bits = field::encode_bits(point.format, value);
    if (!bits) return std::unexpected(bits.error());
    return {};
  }
  return field::encode_value(point.format, value, std::span(scratch).first(point.quantity * 2U));
}

Result<void> check_values(const WriteWork& work, const PointNames& names) {
  return sdk::check_values(work.values, names, [&work](std::size_t point, const Json& value) {
    return check_value(work.points[point], value);
  });
}

Made prepare_write(const WriteSettings& settings, const ConnectionSettings& connection,
                   std::uint64_t id) {
  const PointDefaults defaults(connection, settings.unit_id);
  WriteWork work;
  work.max_registers = static_cast<std::uint16_t>(connection.max_registers_per_write);
  work.max_bits = static_cast<std::uint16_t>(connection.max_bits_per_write);
  auto list = make_points(settings.points, defaults, "points", work.max_registers, kMaxWritePoints);
  if (!list) return std::unexpected(std::move(list.error()));
  work.points = std::move(list->points);
  work.values = settings.values;
  work.multiple = settings.requests == WriteSettings::Requests::kMultiple;
  work.mask_write = settings.bit_writes == WriteSettings::BitWrites::kMask;
  work.verify = settings.verify;
  TRIBUTARY_TRY(check_values(work, list->names));
  return make(id, std::move(list->names), std::move(work));
}

std::unexpected<Error> bad_exchange(std::string_view member, std::size_t index,
                                    std::string message) {
  return fail(ErrorClass::kFunction, "not_allowed", std::move(message),
              "Function 23 writes one run of holding registers and reads one, of one unit. Use a "
              "write and a read for the rest.",
              fmt::format("/settings/{}/{}/address", member, index));
}

Made prepare_exchange(const ReadWriteSettings& settings, const ConnectionSettings& connection,
                      std::uint64_t id) {
  const PointDefaults defaults(connection, settings.unit_id);
  auto writes = make_points(settings.points, defaults, "points", kMaxExchangeWriteRegisters,
                            kMaxExchangeWriteRegisters);
  if (!writes) return std::unexpected(std::move(writes.error()));
  auto reads = make_points(settings.read_points, defaults, "readPoints", kMaxReadRegisters,
                           kMaxReadRegisters);
  if (!reads) return std::unexpected(std::move(reads.error()));
  const Point& first = writes->points.front();
  std::uint32_t next = first.address;
  for (std::size_t i = 0; i < writes->points.size(); ++i) {
    const Point& point = writes->points[i];
    if (point.area != Area::kHoldingRegisters || point.unit != first.unit ||
        point.address != next || is_part_of_register(point.format) ||
        point.end() - first.address > kMaxExchangeWriteRegisters) {
      return bad_exchange("points", i,
                          fmt::format("Point '{}' does not follow the one before it without a gap "
                                      "in the holding registers.",
                                      writes->names[i]));
    }
    next = point.end();
  }
  const auto blocks = make_plan(reads->points, {kMaxReadRegisters, 1, kMaxReadRegisters});
  for (std::size_t i = 0; i < reads->points.size(); ++i) {
    if (reads->points[i].area != Area::kHoldingRegisters || reads->points[i].unit != first.unit ||
        blocks.size() > 1) {
      return bad_exchange("readPoints", i,
                          "The points to read are not within 125 holding registers of the unit.");
    }
  }
  ExchangeWork work;
  work.write.points = std::move(writes->points);
  work.write.values = settings.values;
  TRIBUTARY_TRY(check_values(work.write, writes->names));
  work.reads = std::move(reads->points);
  work.block = blocks.front();
  work.read_names = std::make_shared<const PointNames>(std::move(reads->names));
  return make(id, std::move(writes->names), std::move(work));
}

Made prepare_fifo(const ReadFifoSettings& settings, const ConnectionSettings& connection,
                  std::uint64_t id) {
  const PointDefaults defaults(connection, settings.unit_id);
  FifoWork work{defaults.unit, static_cast<std::uint16_t>(settings.address), {}};
  work.format.order = defaults.order;
  work.format.type =
      field::parse_data_type(to_string(settings.data_type)).value_or(field::DataType::kUint16);
  return make(id, {settings.name}, work);
}

Made prepare_diagnose(const DiagnoseSettings& settings, const ConnectionSettings& connection,
                      std::uint64_t id) {
  return make(id, {}, DiagnoseWork{PointDefaults(connection, settings.unit_id).unit});
}

}  // namespace

std::shared_ptr<const PointNames> ModbusOperation::points() const {
  if (const auto* exchange = std::get_if<ExchangeWork>(&work_)) return exchange->read_names;
  return std::holds_alternative<DiagnoseWork>(work_) ? nullptr : names_;
}

std::size_t ModbusOperation::round_trips() const {
  if (const auto* read = std::get_if<ReadWork>(&work_))
    return std::max<std::size_t>(1, read->blocks.size());
  if (const auto* write = std::get_if<WriteWork>(&work_)) {
    const std::size_t each = (write->mask_write ? 1U : 2U) + (write->verify ? 1U : 0U);
    return std::max<std::size_t>(1, each * write->points.size());
  }
  return std::holds_alternative<DiagnoseWork>(work_) ? kDiagnoseRequests : 1;
}

std::bitset<256> ModbusOperation::units() const {
  std::bitset<256> units;
  const auto add = [&](const std::vector<Point>& points) {
    for (const Point& point : points) units.set(point.unit);
  };
  if (const auto* read = std::get_if<ReadWork>(&work_)) add(read->points);
  if (const auto* write = std::get_if<WriteWork>(&work_)) add(write->points);
  if (const auto* exchange = std::get_if<ExchangeWork>(&work_)) add(exchange->reads);
  if (const auto* fifo = std::get_if<FifoWork>(&work_)) units.set(fifo->unit);
  return units;
}

Made prepare_operation(const Json& connection_settings, const sdk::FunctionSpec& function,
                       std::uint64_t id) {
  const auto connection = ConnectionSettings::from_json(connection_settings);
  if (function.type == "modbus.read")
    return prepare_read(ReadSettings::from_json(function.settings), connection, false, id);
  if (function.type == "modbus.subscribe")
    return prepare_read(SubscribeSettings::from_json(function.settings), connection, true, id);
  if (function.type == "modbus.write")
    return prepare_write(WriteSettings::from_json(function.settings), connection, id);
  if (function.type == "modbus.readWrite")
    return prepare_exchange(ReadWriteSettings::from_json(function.settings), connection, id);
  if (function.type == "modbus.readFifo")
    return prepare_fifo(ReadFifoSettings::from_json(function.settings), connection, id);
  if (function.type == "modbus.diagnose")
    return prepare_diagnose(DiagnoseSettings::from_json(function.settings), connection, id);
  return fail(ErrorClass::kConfiguration, "unknown_function",
              fmt::format("Modbus has no function '{}'.", function.type),
              "It has modbus.read, subscribe, write, readWrite, readFifo and diagnose.", "/type");
}

}  // namespace tributary::connectors::modbus
