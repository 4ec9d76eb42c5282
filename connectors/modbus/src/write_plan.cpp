#include "connectors/modbus/src/write_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "field/codec.hpp"

namespace tributary::connectors::modbus {
namespace {

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

// Encodes the value of one point into a step of its own, behind what `plan` has.
Result<WriteStep> encode_step(const Point& point, const Json& value, WritePlan& plan) {
  WriteStep step{WriteKind::kRegisters,
                 point.unit,
                 point.address,
                 point.quantity,
                 plan.bytes.size(),
                 0,
                 0,
                 {}};
  if (is_bit_area(point.area)) {
    step.kind = WriteKind::kCoils;
    const auto coil = field::encode_bool(value);
    if (!coil) return std::unexpected(coil.error());
    plan.bytes.push_back(std::byte{*coil});
    return step;
  }
  if (is_part_of_register(point.format)) {
    step.kind = WriteKind::kBits;
    const auto change = field::encode_bits(point.format, value);
    if (!change) return std::unexpected(change.error());
    std::array<std::byte, 2> word;
    field::store_word(point.format.order, change->mask, word);
    step.mask = load_u16(word.data());
    field::store_word(point.format.order, change->bits, word);
    step.bits = load_u16(word.data());
    return step;
  }
  plan.bytes.resize(step.offset + point.quantity * 2U);
  TRIBUTARY_TRY(
      field::encode_value(point.format, value, std::span(plan.bytes).subspan(step.offset)));
  return step;
}

// Whether a step can go out with the one before it; if so, it does.
bool join(WriteStep& last, const WriteStep& step, const WriteWork& work) {
  if (last.kind != step.kind || last.unit != step.unit) return false;
  if (step.kind == WriteKind::kBits) {
    if (last.address != step.address || (last.mask & step.mask) != 0) return false;
    last.mask |= step.mask;
    last.bits |= step.bits;
    return true;
  }
  const std::uint16_t most = step.kind == WriteKind::kCoils ? work.max_bits : work.max_registers;
  if (last.address + last.quantity != step.address || last.quantity + step.quantity > most)
    return false;
  last.quantity = static_cast<std::uint16_t>(last.quantity + step.quantity);
  return true;
}

}  // namespace

Result<WritePlan> plan_write(const WriteWork& work, const std::shared_ptr<const PointNames>& names,
                             const Json& parameters) {
  WritePlan plan;
  plan.scan.points = names;
  for (std::uint32_t i = 0; i < work.points.size(); ++i) {
    const std::string& name = (*names)[i];
    const Source source = find_value(name, parameters, work.values);
    if (source.value == nullptr) continue;
    auto step = encode_step(work.points[i], *source.value, plan);
    if (!step) {
      step.error().message = fmt::format("Point '{}': {}", name, step.error().message);
      step.error().pointer = source.pointer;
      return std::unexpected(std::move(step.error()));
    }
    if (plan.steps.empty() || !join(plan.steps.back(), *step, work))
      plan.steps.push_back(*std::move(step));
    plan.steps.back().points.push_back(i);
    Sample sample;
    sample.point = i;
    sample.value = from_json(*source.value);
    plan.scan.samples.push_back(std::move(sample));
  }
  if (plan.steps.empty()) {
    return fail(ErrorClass::kFunction, "missing_value",
                fmt::format("There is nothing to write: none of the points ({}) has a value.",
                            fmt::join(*names, ", ")),
                "Put values into the function, or give parameters with the names of its points.",
                "/settings/values");
  }
  return plan;
}

Request to_request(const WriteStep& step, const WritePlan& plan, bool multiple,
                   std::array<std::byte, kMaxPduSize>& scratch) {
  const auto data = std::span<const std::byte>(plan.bytes).subspan(step.offset);
  const bool single = step.quantity == 1 && !multiple;
  if (step.kind == WriteKind::kBits) {
    store_u16(&scratch[0], static_cast<std::uint16_t>(~step.mask));
    store_u16(&scratch[2], step.bits);
    return {FunctionCode::kMaskWriteRegister, step.address, 1, std::span(scratch).first(4)};
  }
  if (step.kind == WriteKind::kRegisters) {
    return {single ? FunctionCode::kWriteSingleRegister : FunctionCode::kWriteMultipleRegisters,
            step.address, step.quantity, data.first(step.quantity * 2U)};
  }
  if (single) {
    store_u16(scratch.data(), data[0] != std::byte{0} ? 0xFF00 : 0x0000);
    return {FunctionCode::kWriteSingleCoil, step.address, 1, std::span(scratch).first(2)};
  }
  const std::size_t size = (step.quantity + 7U) / 8U;
  std::fill_n(scratch.begin(), size, std::byte{0});
  for (std::size_t i = 0; i < step.quantity; ++i) scratch[i / 8] |= data[i] << (i % 8);
  return {FunctionCode::kWriteMultipleCoils, step.address, step.quantity,
          std::span(scratch).first(size)};
}

bool same_as_written(const WriteStep& step, const WritePlan& plan,
                     std::span<const std::byte> data) {
  if (step.kind == WriteKind::kBits) return (load_u16(data.data()) & step.mask) == step.bits;
  const auto written = std::span<const std::byte>(plan.bytes).subspan(step.offset);
  if (step.kind == WriteKind::kRegisters)
    return std::ranges::equal(data, written.first(data.size()));
  for (std::size_t i = 0; i < step.quantity; ++i) {
    if (load_bit(data, i) != (written[i] != std::byte{0})) return false;
  }
  return true;
}

}  // namespace tributary::connectors::modbus
