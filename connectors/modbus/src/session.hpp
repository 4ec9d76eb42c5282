// A Modbus session: one connection or one place on a serial line, one request at a time (or as many
// as the device allows).
#pragma once

#include <memory>

#include "connectors/modbus/src/line_channel.hpp"
#include "connectors/modbus/src/unit_book.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::modbus {

// What the sessions of this process share.
struct Shared {
  SerialLines lines;
  UnitBook units;
};

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context,
                                           const sdk::Profile& profile,
                                           std::shared_ptr<Shared> shared);

}  // namespace tributary::connectors::modbus
