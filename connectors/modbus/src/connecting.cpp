#include "connectors/modbus/src/connecting.hpp"

#include <fmt/format.h>

#include "connectors/modbus/src/mbap_channel.hpp"
#include "net/udp_stream.hpp"

namespace tributary::connectors::modbus {
namespace {

using Transport = ConnectionSettings::Transport;
using Opened = Result<std::unique_ptr<Channel>>;

MbapOptions mbap_options(const Opening& opening) {
  const ConnectionSettings& settings = opening.settings;
  MbapOptions options;
  options.check_unit = settings.reply_unit_check == ConnectionSettings::ReplyUnitCheck::kStrict;
  options.check_transaction =
      settings.reply_transaction_check == ConnectionSettings::ReplyTransactionCheck::kStrict;
  options.datagrams = settings.transport == Transport::kUdp;
  options.window = static_cast<std::size_t>(settings.max_outstanding);
  options.answered_late = opening.answered_late;
  return options;
}

Opened open_serial_line(const Opening& opening) {
  const ConnectionSettings& settings = opening.settings;
  constexpr std::int64_t kBitsOfRtu = 8;
  if (settings.transport == Transport::kRtu && settings.data_bits != kBitsOfRtu) {
    return fail(ErrorClass::kConfiguration, "not_allowed",
                fmt::format("RTU does not fit into {} data bits.", settings.data_bits),
                "Set 8 data bits, or is it an ASCII line?", "/settings/dataBits");
  }
  net::SerialSettings serial;
  serial.device = settings.serial_port.value_or("");
  serial.baud_rate = static_cast<std::uint32_t>(settings.baud_rate);
  serial.data_bits = static_cast<std::uint8_t>(settings.data_bits);
  serial.stop_bits = static_cast<std::uint8_t>(settings.stop_bits);
  switch (settings.parity) {
    case ConnectionSettings::Parity::kEven:
      serial.parity = net::Parity::kEven;
      break;
    case ConnectionSettings::Parity::kOdd:
      serial.parity = net::Parity::kOdd;
      break;
    case ConnectionSettings::Parity::kNone:
      serial.parity = net::Parity::kNone;
      break;
  }
  LineOptions options;
  options.framing = settings.transport == Transport::kAscii ? Framing::kAscii : Framing::kRtu;
  if (settings.inter_frame_ms > 0) {
    options.silence = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double, std::milli>(settings.inter_frame_ms));
  } else if (options.framing == Framing::kRtu) {
    options.silence = silence_at(serial.baud_rate);
  }
  options.local_echo = settings.local_echo;
  auto line =
      opening.lines.acquire(serial, options, opening.context.executor, opening.context.timers);
  if (!line) return std::unexpected(std::move(line.error()));
  return std::make_unique<LineChannel>(*std::move(line), opening.context.executor,
                                       opening.context.timers, false);
}

Task<Opened> open_datagrams(const Opening& opening, net::Endpoint endpoint, SteadyTime deadline,
                            net::StageObserver& stages) {
  stages.begin("resolve");
  auto addresses =
      co_await opening.context.network.resolve_cancellable(endpoint, deadline, opening.dialling);
  if (!addresses) co_return std::unexpected(std::move(addresses.error()));
  auto stream =
      net::connect_udp(addresses->front(), opening.context.executor, opening.context.timers);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  co_return std::make_unique<MbapChannel>(*std::move(stream), opening.context.executor,
                                          opening.context.timers, mbap_options(opening));
}

}  // namespace

Task<Opened> open_channel(Opening opening, SteadyTime deadline, net::StageObserver& stages) {
  const Transport transport = opening.settings.transport;
  if (transport == Transport::kRtu || transport == Transport::kAscii)
    co_return open_serial_line(opening);
  const net::Endpoint endpoint{opening.settings.host.value_or(""),
                               static_cast<std::uint16_t>(opening.settings.port)};
  if (transport == Transport::kUdp)
    co_return co_await open_datagrams(opening, endpoint, deadline, stages);
  auto stream = co_await opening.context.network.dial_cancellable(
      endpoint, opening.keepalive, deadline, stages, opening.dialling);
  if (!stream) {
    Error error = std::move(stream.error());
    if (error.code == "connection_refused")
      error.hint = "Is the device's Modbus server enabled, and is this its port?";
    co_return std::unexpected(std::move(error));
  }
  if (transport == Transport::kTcp) {
    co_return std::make_unique<MbapChannel>(*std::move(stream), opening.context.executor,
                                            opening.context.timers, mbap_options(opening));
  }
  auto suspects = opening.lines.suspects(fmt::format("{}:{}", endpoint.host, endpoint.port));
  auto line = std::make_shared<Line>(*std::move(stream), opening.context.executor,
                                     opening.context.timers, LineOptions{}, std::move(suspects));
  co_return std::make_unique<LineChannel>(std::move(line), opening.context.executor,
                                          opening.context.timers, true);
}

}  // namespace tributary::connectors::modbus
