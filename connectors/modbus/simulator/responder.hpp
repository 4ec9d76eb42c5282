// A Modbus device's side of one request: PDU in, PDU out, whatever carries them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "connectors/modbus/src/codec.hpp"
#include "connectors/modbus/src/identification.hpp"

namespace tributary::connectors::modbus::simulator {

// What a server serves. Called on the server's executor.
class Device {
 public:
  virtual ~Device() = default;
  // Fills `out`, which has the size of the answer: registers big-endian, or packed bits (zeroed
  // before). Functions 1 to 4.
  virtual std::optional<ExceptionCode> read(std::uint8_t unit, const Request& request,
                                            std::span<std::byte> out) = 0;
  // Functions 5, 6, 15 and 16; 22 and 23 are made of these.
  virtual std::optional<ExceptionCode> write(std::uint8_t unit, const Request& request) = 0;
  // Function 43/14. Empty: the device does not know it.
  virtual std::vector<IdentificationObject> identification(std::uint8_t unit) const {
    static_cast<void>(unit);
    return {};
  }
  // Function 24. Nothing: there is no queue at this address.
  virtual std::optional<std::vector<std::uint16_t>> fifo(std::uint8_t unit,
                                                         std::uint16_t address) const {
    static_cast<void>(unit);
    static_cast<void>(address);
    return std::nullopt;
  }
};

// Lives on the server's executor.
class Responder {
 public:
  explicit Responder(Device& device) : device_(device) {}

  // Writes the answer's PDU and returns its size.
  std::size_t answer(std::uint8_t unit, std::span<const std::byte> pdu,
                     std::span<std::byte, kMaxPduSize> out);
  std::uint64_t requests() const { return requests_; }

 private:
  std::optional<ExceptionCode> perform(std::uint8_t unit, const Request& request,
                                       std::vector<std::byte>& data);
  std::optional<ExceptionCode> mask_write(std::uint8_t unit, const Request& request);
  std::optional<ExceptionCode> exchange(std::uint8_t unit, const Request& request,
                                        std::vector<std::byte>& data);
  std::optional<ExceptionCode> diagnostics(const Request& request, std::vector<std::byte>& data);
  std::optional<ExceptionCode> identify(std::uint8_t unit, const Request& request,
                                        std::vector<std::byte>& data);

  Device& device_;
  std::uint64_t requests_ = 0;
  std::uint16_t events_ = 0;  // requests that were carried out
};

}  // namespace tributary::connectors::modbus::simulator
