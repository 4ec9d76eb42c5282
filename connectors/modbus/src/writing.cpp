#include "connectors/modbus/src/writing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/modbus/src/errors.hpp"
#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

// One request: its points, and its data in WriteRequests::bytes.
struct WriteRequest {
  Area area = Area::kHoldingRegisters;
  std::uint8_t unit = 1;
  std::uint16_t address = 0;
  std::uint16_t quantity = 0;
  std::size_t offset = 0;
  std::vector<std::uint32_t> points;
};

struct WriteRequests {
  std::vector<WriteRequest> requests;
  std::vector<std::byte> bytes;  // registers; one byte, 0 or 1, for a coil
  Scan scan;
};

struct Source {
  const Json* value = nullptr;
  std::string pointer;
};

Source find_value(const std::string& name, const Json& parameters, const Json& values) {
  if (parameters.is_object() && parameters.contains(name)) {
    return {&parameters.at(name), "/parameters/" + escape_pointer(name)};
  }
  if (values.is_object() && values.contains(name))
    return {&values.at(name), "/settings/values/" + escape_pointer(name)};
  return {};
}

Result<void> encode_point(const Point& point, const Json& value, std::vector<std::byte>& bytes) {
  if (is_bit_area(point.area)) {
    const auto coil = field::encode_bool(value);
    if (!coil) return std::unexpected(coil.error());
    bytes.push_back(std::byte{*coil});
    return {};
  }
  const std::size_t offset = bytes.size();
  bytes.resize(offset + point.quantity * 2U);
  return field::encode_value(point.format, value, std::span(bytes).subspan(offset));
}

// Joins the point to the last request when it follows it directly.
void append(WriteRequests& all, const Point& point, std::uint32_t index, std::size_t offset) {
  if (!all.requests.empty()) {
    WriteRequest& last = all.requests.back();
    const std::uint16_t most = is_bit_area(point.area) ? kMaxWriteBits : kMaxWriteRegisters;
    if (last.area == point.area && last.unit == point.unit &&
        last.address + last.quantity == point.address && last.quantity + point.quantity <= most) {
      last.quantity = static_cast<std::uint16_t>(last.quantity + point.quantity);
      last.points.push_back(index);
      return;
    }
  }
  all.requests.push_back({point.area, point.unit, point.address, point.quantity, offset, {index}});
}

Result<WriteRequests> encode_all(const ModbusOperation& operation, const Json& parameters) {
  const auto& work = std::get<WriteWork>(operation.work());
  WriteRequests all;
  all.scan.points = operation.points();
  for (std::uint32_t i = 0; i < work.points.size(); ++i) {
    const std::string& name = operation.names()[i];
    const Source source = find_value(name, parameters, work.values);
    if (source.value == nullptr) continue;
    const std::size_t offset = all.bytes.size();
    if (auto encoded = encode_point(work.points[i], *source.value, all.bytes); !encoded) {
      encoded.error().message = fmt::format("Point '{}': {}", name, encoded.error().message);
      encoded.error().pointer = source.pointer;
      return std::unexpected(std::move(encoded.error()));
    }
    append(all, work.points[i], i, offset);
    Sample sample;
    sample.point = i;
    sample.value = from_json(*source.value);
    all.scan.samples.push_back(std::move(sample));
  }
  if (all.requests.empty()) {
    return fail(ErrorClass::kFunction, "missing_value",
                fmt::format("There is nothing to write: none of the points ({}) has a value.",
                            fmt::join(operation.names(), ", ")),
                "Put values into the function, or give parameters with the names of its points.",
                "/settings/values");
  }
  return all;
}

// The wire form of a request's data, in `scratch` when it differs from what was gathered.
Request to_wire(const WriteRequest& from, const std::vector<std::byte>& bytes, bool multiple,
                std::array<std::byte, kMaxPduSize>& scratch) {
  const std::span<const std::byte> data = std::span(bytes).subspan(from.offset);
  const bool single = from.quantity == 1 && !multiple;
  if (from.area == Area::kHoldingRegisters) {
    return {single ? FunctionCode::kWriteSingleRegister : FunctionCode::kWriteMultipleRegisters,
            from.address, from.quantity, data.first(from.quantity * 2U)};
  }
  if (single) {
    store_u16(scratch.data(), data[0] != std::byte{0} ? 0xFF00 : 0x0000);
    return {FunctionCode::kWriteSingleCoil, from.address, 1, std::span(scratch).first(2)};
  }
  const std::size_t size = (from.quantity + 7U) / 8U;
  std::fill_n(scratch.begin(), size, std::byte{0});
  for (std::size_t i = 0; i < from.quantity; ++i) scratch[i / 8] |= data[i] << (i % 8);
  return {FunctionCode::kWriteMultipleCoils, from.address, from.quantity,
          std::span(scratch).first(size)};
}

void mark(Scan& scan, const WriteRequest& request, const std::shared_ptr<const Error>& error,
          Quality quality) {
  for (Sample& sample : scan.samples) {
    if (std::ranges::find(request.points, sample.point) == request.points.end()) continue;
    sample.quality = quality;
    sample.error = error;
    sample.value = std::monostate{};
  }
}

// What is left after a refusal, or after the time was over.
void skip(Scan& scan, std::span<const WriteRequest> requests, std::string_view reason) {
  const auto error = std::make_shared<const Error>(
      ErrorClass::kFunction, "not_written", fmt::format("It was not written, because {}.", reason));
  for (const WriteRequest& request : requests) mark(scan, request, error, kBad);
}

std::string names_of(std::span<const WriteRequest> requests, const PointNames& names) {
  std::vector<std::string_view> list;
  for (const WriteRequest& request : requests) {
    for (const std::uint32_t index : request.points) list.push_back(names[index]);
  }
  return fmt::format("{}", fmt::join(list, ", "));
}

}  // namespace

Task<Result<Scan>> write_points(Channel& channel, const ModbusOperation& operation,
                                const Json& parameters, ScanLimits limits, const Clock& clock) {
  auto all = encode_all(operation, parameters);
  if (!all) co_return std::unexpected(std::move(all.error()));
  const bool multiple = std::get<WriteWork>(operation.work()).multiple;
  std::array<std::byte, kMaxPduSize> scratch;
  const std::span<const WriteRequest> requests = all->requests;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i > 0 && clock.steady_now() >= limits.deadline) {
      skip(all->scan, requests.subspan(i), "the time for the call was over");
      break;
    }
    const Request request = to_wire(requests[i], all->bytes, multiple, scratch);
    const SteadyTime deadline =
        std::min(limits.deadline, clock.steady_now() + limits.request_timeout);
    auto reply = co_await channel.exchange(requests[i].unit, request, deadline);
    if (!reply) {
      Error error = std::move(reply.error());
      if (i > 0)
        error.message +=
            fmt::format(" Written before: {}.", names_of(requests.first(i), operation.names()));
      error.message += fmt::format(" Whether this was done is not known: {}.",
                                   names_of(requests.subspan(i, 1), operation.names()));
      co_return std::unexpected(std::move(error));
    }
    if (reply->state == ReplyState::kOk) continue;
    Error refusal = exception_error(reply->exception, request, requests[i].unit);
    refusal.outcome_unknown =
        reply->exception == static_cast<std::uint8_t>(ExceptionCode::kAcknowledge);
    const auto error = std::make_shared<const Error>(std::move(refusal));
    mark(all->scan, requests[i], error, exception_quality(reply->exception));
    const std::string refused = names_of(requests.subspan(i, 1), operation.names());
    skip(all->scan, requests.subspan(i + 1), "the device refused what came before it: " + refused);
    break;
  }
  all->scan.receive_time = clock.utc_now();
  co_return std::move(all->scan);
}

}  // namespace tributary::connectors::modbus
