// A serial port as a Stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/stream.hpp"

namespace tributary::net {

enum class Parity : std::uint8_t { kNone, kEven, kOdd };

struct SerialSettings {
  std::string device;  // "/dev/ttyUSB0"
  std::uint32_t baud_rate = 19200;
  std::uint8_t data_bits = 8;
  Parity parity = Parity::kEven;
  std::uint8_t stop_bits = 1;

  friend bool operator==(const SerialSettings&, const SerialSettings&) = default;
};

// Opens the port in raw mode and throws away what it holds. Errors: kTransient "no_such_device" (an
// adapter may be plugged in again); kConfiguration "not_a_serial_port", "not_permitted",
// "not_supported" (a speed or format that the port does not have), with a pointer below
// "/settings"; kInternal "out_of_descriptors".
Result<std::unique_ptr<Stream>> open_serial(const SerialSettings& settings, Executor executor,
                                            Timers& timers);

}  // namespace tributary::net
