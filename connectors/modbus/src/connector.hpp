// The Modbus connector: Modbus clients over our own codec.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::modbus {

std::unique_ptr<sdk::Connector> make_connector();

}  // namespace tributary::connectors::modbus
