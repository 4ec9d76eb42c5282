#include "net/serial_stream.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include <boost/asio/serial_port.hpp>
#include <filesystem>

#include "net/plain_stream.hpp"

namespace tributary::net {
namespace {

using Port = asio::basic_serial_port<Executor>;
using Option = asio::serial_port_base;

struct SerialIo {
  Port port;

  Executor get_executor() { return port.get_executor(); }
  void close(boost::system::error_code& error) {
    // What was not sent yet is not sent any more: close() would wait for it.
    ::tcflush(port.native_handle(), TCIOFLUSH);
    port.close(error);
  }
  template <typename Token>
  auto read(asio::mutable_buffer buffer, Token token) {
    return port.async_read_some(buffer, token);
  }
  template <typename Token>
  auto write(asio::const_buffer buffer, Token token) {
    return port.async_write_some(buffer, token);
  }
};

Error cannot_open(const std::string& device, int error_number) {
  const auto refuse = [&](const char* code, const char* text, const char* hint) {
    return Error(ErrorClass::kConfiguration, code, fmt::format("{} {}.", device, text), hint,
                 "/settings/serialPort");
  };
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      // An adapter that is plugged in again comes back by itself.
      return {ErrorClass::kTransient, "no_such_device", fmt::format("{} does not exist.", device),
              "Is the adapter plugged in, and is this its name? /dev/serial/by-id has names that "
              "stay the same.",
              "/settings/serialPort"};
    case EACCES:
    case EPERM:
      return refuse("not_permitted", "may not be opened by this program",
                    "Add the user that runs the hub to the group of the device (dialout).");
    case ENOTTY:
    case EISDIR:
    case EINVAL:
      return refuse("not_a_serial_port", "is not a serial port", "Is this the right device?");
    default:
      return error_from_errno(error_number, "open", device);
  }
}

// Looked at before it is opened: opening alone has an effect on some devices (a watchdog would
// start).
Result<void> check_is_terminal(const std::string& device) {
  constexpr unsigned kFirstPseudoTerminal = 136;  // majors of Unix98 slaves, Documentation/devices
  constexpr unsigned kLastPseudoTerminal = 143;
  struct stat status{};
  if (::stat(device.c_str(), &status) != 0) return fail(cannot_open(device, errno));
  if (!S_ISCHR(status.st_mode)) return fail(cannot_open(device, ENOTTY));
  const unsigned number = major(status.st_rdev);
  if (number >= kFirstPseudoTerminal && number <= kLastPseudoTerminal) return {};
  std::error_code error;
  const auto subsystem = std::filesystem::read_symlink(
      fmt::format("/sys/dev/char/{}:{}/subsystem", number, minor(status.st_rdev)), error);
  if (error || subsystem.filename() != "tty") return fail(cannot_open(device, ENOTTY));
  return {};
}

Option::parity parity_of(Parity parity) {
  switch (parity) {
    case Parity::kNone:
      return Option::parity(Option::parity::none);
    case Parity::kEven:
      return Option::parity(Option::parity::even);
    case Parity::kOdd:
      return Option::parity(Option::parity::odd);
  }
  return Option::parity(Option::parity::none);
}

Result<void> apply(Port& port, const SerialSettings& settings) {
  boost::system::error_code error;
  const auto refuse = [&](std::string what, const char* pointer) {
    return fail(ErrorClass::kConfiguration, "not_supported",
                fmt::format("{} has no {}.", settings.device, what),
                "Common speeds are 9600, 19200, 38400, 57600 and 115200.", pointer);
  };
  port.set_option(Option::baud_rate(settings.baud_rate), error);
  if (error)
    return refuse(fmt::format("speed of {} baud", settings.baud_rate), "/settings/baudRate");
  port.set_option(Option::character_size(settings.data_bits), error);
  if (error) return refuse(fmt::format("{} data bits", settings.data_bits), "/settings/dataBits");
  port.set_option(parity_of(settings.parity), error);
  if (error) return refuse("such parity", "/settings/parity");
  port.set_option(
      Option::stop_bits(settings.stop_bits == 2 ? Option::stop_bits::two : Option::stop_bits::one),
      error);
  if (error) return refuse(fmt::format("{} stop bits", settings.stop_bits), "/settings/stopBits");
  port.set_option(Option::flow_control(Option::flow_control::none), error);
  if (error) return refuse("way to switch flow control off", "/settings/serialPort");
  ::tcflush(port.native_handle(), TCIOFLUSH);
  return {};
}

}  // namespace

Result<std::unique_ptr<Stream>> open_serial(const SerialSettings& settings, Executor executor,
                                            Timers& timers) {
  TRIBUTARY_TRY(check_is_terminal(settings.device));
  Port port(executor);
  boost::system::error_code error;
  port.open(settings.device, error);
  if (error) return fail(cannot_open(settings.device, error.value()));
  TRIBUTARY_TRY(apply(port, settings));
  return std::make_unique<PlainStream<SerialIo>>(SerialIo{std::move(port)}, settings.device,
                                                 timers);
}

}  // namespace tributary::net
