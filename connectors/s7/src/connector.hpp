// The Siemens S7 connector: a client over our own codec.
#pragma once

#include <memory>

#include "sdk/connector.hpp"

namespace tributary::connectors::s7 {

std::unique_ptr<sdk::Connector> make_connector();

}  // namespace tributary::connectors::s7
