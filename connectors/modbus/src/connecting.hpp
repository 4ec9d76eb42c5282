// From a connection's settings to a channel: which transport, and how it is opened.
#pragma once

#include <functional>
#include <memory>

#include "connectors/modbus/settings.hpp"
#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/session.hpp"

namespace tributary::connectors::modbus {

struct Opening {
  const sdk::SessionContext& context;
  const ConnectionSettings& settings;
  net::Keepalive keepalive;
  std::shared_ptr<net::DialCancel> dialling;
  SerialLines& lines;
  std::function<void(std::uint8_t unit)> answered_late;
};

// Errors: those of net::Network::dial and resolve, net::connect_udp, SerialLines::acquire.
Task<Result<std::unique_ptr<Channel>>> open_channel(Opening opening, SteadyTime deadline,
                                                    net::StageObserver& stages);

}  // namespace tributary::connectors::modbus
