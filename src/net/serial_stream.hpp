// A serial port as a Stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/stream.hpp"

struct termios;

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

// Speed and format as the driver is told them; the rest of `line` stays as it is. Error:
// kConfiguration "not_supported" for a speed that no driver has.
Result<void> set_line(const SerialSettings& settings, termios& line);
// What of that `line` does not say, for people: "7 data bits"; empty when it says all of it. A
// driver that cannot do something takes the rest and says nothing (tcsetattr in POSIX).
std::string missing_in(const SerialSettings& settings, const termios& line);

// Opens the port in raw mode and throws away what it holds. Errors: kTransient "no_such_device" (an
// adapter may be plugged in again); kConfiguration "not_a_serial_port", "not_permitted",
// "not_supported" (a speed or format that the port does not have), with a pointer below
// "/settings"; kInternal "out_of_descriptors".
Result<std::unique_ptr<Stream>> open_serial(const SerialSettings& settings, Executor executor,
                                            Timers& timers);

}  // namespace tributary::net
