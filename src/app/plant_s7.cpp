#include "app/plant_s7.hpp"

#include <algorithm>
#include <array>

namespace tributary::app {
namespace {

namespace modbus = connectors::modbus;
namespace s7 = connectors::s7;
using modbus::FunctionCode;
using s7::simulator::kAccessDenied;
using s7::simulator::kNoSuchObject;
using s7::simulator::kOutOfRange;

constexpr std::uint8_t kUnit = 1;

struct Place {
  FunctionCode function;
  std::uint16_t count;  // registers, coils or inputs
  bool bits;
};
std::optional<Place> place_of(const s7::Item& item) {
  using namespace modbus::simulator;
  switch (item.area) {
    case s7::Area::kDataBlocks:
      if (item.db != 1) return std::nullopt;
      return Place{FunctionCode::kReadHoldingRegisters, registers::kCount, false};
    case s7::Area::kMerkers:
      return Place{FunctionCode::kReadCoils, coils::kCount, true};
    case s7::Area::kInputs:
      return Place{FunctionCode::kReadDiscreteInputs, inputs::kCount, true};
    default:
      return std::nullopt;
  }
}

std::uint8_t code_of(std::optional<modbus::ExceptionCode> exception) {
  if (!exception) return s7::kItemDone;
  return *exception == modbus::ExceptionCode::kIllegalDataAddress ? kOutOfRange : kAccessDenied;
}

}  // namespace

std::uint8_t PlantS7::read(const s7::Item& item, std::span<std::byte> out) {
  const auto place = place_of(item);
  if (!place) return kNoSuchObject;
  // The whole of the area: it is small.
  std::array<std::byte, modbus::kMaxPduSize> all{};
  const std::size_t size =
      place->bits ? (place->count + std::size_t{7}) / 8 : place->count * std::size_t{2};
  if (item.begin + s7::size_of(item) > size) return kOutOfRange;
  const modbus::Request request{place->function, 0, place->count, {}};
  const auto refused = plant_.read(kUnit, request, std::span(all).first(size));
  if (refused) return code_of(refused);
  const auto from = std::span<const std::byte>(all).subspan(item.begin, s7::size_of(item));
  if (item.bit >= 0) {
    out[0] = (from[0] >> item.bit) & std::byte{1};
  } else {
    std::ranges::copy(from, out.begin());
  }
  return s7::kItemDone;
}

std::uint8_t PlantS7::write(const s7::Item& item, std::span<const std::byte> data) {
  const auto place = place_of(item);
  if (!place) return kNoSuchObject;
  if (place->bits) {
    if (item.area != s7::Area::kMerkers || item.bit < 0) return kAccessDenied;
    const std::array<std::byte, 2> value{data[0] != std::byte{0} ? std::byte{0xFF} : std::byte{0},
                                         std::byte{0}};
    const auto coil = static_cast<std::uint16_t>(item.begin * 8 + static_cast<unsigned>(item.bit));
    const modbus::Request request{FunctionCode::kWriteSingleCoil, coil, 1, value};
    return code_of(plant_.write(kUnit, request));
  }
  if (item.bit >= 0 || item.begin % 2 != 0 || data.size() % 2 != 0) return kAccessDenied;
  if (item.begin + data.size() > place->count * std::size_t{2}) return kOutOfRange;
  const modbus::Request request{FunctionCode::kWriteMultipleRegisters,
                                static_cast<std::uint16_t>(item.begin / 2),
                                static_cast<std::uint16_t>(data.size() / 2), data};
  return code_of(plant_.write(kUnit, request));
}

s7::ClockTime PlantS7::clock() const {
  const auto now = clock_.utc_now() + ahead_;
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(now - day);
  return {day, static_cast<std::uint64_t>(rest.count()) * 1'000'000};
}

void PlantS7::set_clock(const s7::ClockTime& time) {
  const auto wanted = time.day + std::chrono::nanoseconds(time.nanoseconds);
  ahead_ = wanted - clock_.utc_now();
}

void PlantS7::set_running(bool running) {
  running_ = running;
  const auto coil = running ? modbus::simulator::coils::kStart : modbus::simulator::coils::kStop;
  constexpr std::array<std::byte, 2> kOn{std::byte{0xFF}, std::byte{0}};
  plant_.write(kUnit, {FunctionCode::kWriteSingleCoil, coil, 1, kOn});
}

}  // namespace tributary::app
