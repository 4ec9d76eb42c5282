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
// start). Says whether it is a pseudo-terminal.
Result<bool> check_is_terminal(const std::string& device) {
  constexpr unsigned kFirstPseudoTerminal = 136;  // majors of Unix98 slaves, Documentation/devices
  constexpr unsigned kLastPseudoTerminal = 143;
  struct stat status{};
  if (::stat(device.c_str(), &status) != 0) return fail(cannot_open(device, errno));
  if (!S_ISCHR(status.st_mode)) return fail(cannot_open(device, ENOTTY));
  const unsigned number = major(status.st_rdev);
  if (number >= kFirstPseudoTerminal && number <= kLastPseudoTerminal) return true;
  std::error_code error;
  const auto subsystem = std::filesystem::read_symlink(
      fmt::format("/sys/dev/char/{}:{}/subsystem", number, minor(status.st_rdev)), error);
  if (error || subsystem.filename() != "tty") return fail(cannot_open(device, ENOTTY));
  return false;
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

Error not_supported(const SerialSettings& settings, const std::string& what, const char* pointer) {
  return {ErrorClass::kConfiguration, "not_supported",
          fmt::format("{} has no {}.", settings.device, what),
          "Common speeds are 9600, 19200, 38400, 57600 and 115200. Some adapters have 8 data bits "
          "only.",
          pointer};
}

// A pseudo-terminal has no bits and no parity, whatever it is told: its answer says nothing.
Result<void> apply(int port, const SerialSettings& settings, bool pseudo_terminal) {
  const auto refused = [&settings] { return fail(cannot_open(settings.device, errno)); };
  termios line{};
  if (::tcgetattr(port, &line) != 0) return refused();
  TRIBUTARY_TRY(set_line(settings, line));
  if (::tcsetattr(port, TCSANOW, &line) != 0) return refused();
  termios taken{};
  if (::tcgetattr(port, &taken) != 0) return refused();
  if (const auto missing = missing_in(settings, taken); !missing.empty() && !pseudo_terminal)
    return fail(not_supported(settings, missing, "/settings/serialPort"));
  ::tcflush(port, TCIOFLUSH);
  return {};
}

}  // namespace

Result<void> set_line(const SerialSettings& settings, termios& line) {
  boost::system::error_code error;
  Option::baud_rate(settings.baud_rate).store(line, error);
  if (error) {
    return fail(not_supported(settings, fmt::format("speed of {} baud", settings.baud_rate),
                              "/settings/baudRate"));
  }
  // What the last user may have left: parity would be a fixed bit.
  line.c_cflag &= ~static_cast<tcflag_t>(CMSPAR);
  Option::character_size(settings.data_bits).store(line, error);
  parity_of(settings.parity).store(line, error);
  Option::stop_bits(settings.stop_bits == 2 ? Option::stop_bits::two : Option::stop_bits::one)
      .store(line, error);
  Option::flow_control(Option::flow_control::none).store(line, error);
  return {};
}

std::string missing_in(const SerialSettings& settings, const termios& line) {
  termios wanted = line;
  if (!set_line(settings, wanted)) return "such speed";
  const auto differs = [&](tcflag_t flags) {
    return ((line.c_cflag ^ wanted.c_cflag) & flags) != 0;
  };
  if (::cfgetospeed(&line) != ::cfgetospeed(&wanted))
    return fmt::format("speed of {} baud", settings.baud_rate);
  if (differs(CSIZE)) return fmt::format("{} data bits", settings.data_bits);
  if (differs(PARENB | PARODD | CMSPAR)) return "such parity";
  if (differs(CSTOPB)) return fmt::format("{} stop bits", settings.stop_bits);
  return {};
}

Result<std::unique_ptr<Stream>> open_serial(const SerialSettings& settings, Executor executor,
                                            Timers& timers) {
  const auto pseudo_terminal = check_is_terminal(settings.device);
  TRIBUTARY_TRY(pseudo_terminal);
  Port port(executor);
  boost::system::error_code error;
  port.open(settings.device, error);
  if (error) return fail(cannot_open(settings.device, error.value()));
  TRIBUTARY_TRY(apply(port.native_handle(), settings, *pseudo_terminal));
  return std::make_unique<PlainStream<SerialIo>>(SerialIo{std::move(port)}, settings.device,
                                                 timers);
}

}  // namespace tributary::net
