// OPC UA status codes (OPC 10000-6, annex A.2) as classified errors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/quality.hpp"

namespace tributary::connectors::opcua {

// "BadNodeIdUnknown"; "0x80340000" for a code that nobody knows. Without the bits that only inform.
std::string status_name(std::uint32_t status);
// "bad_node_id_unknown": what programs match on.
std::string status_code(std::uint32_t status);

// A whole request was refused, or the session ended meanwhile. `what` was tried ("reading"), `peer`
// refused. Classes: kTransient for what is about the connection, kBusy, kIdentity, kTrust and
// kConfiguration for what a login can meet, kFunction for everything else.
Error service_error(std::uint32_t status, std::string_view what, std::string_view peer);
// One node was refused: kFunction, with a hint for the common reasons.
Error node_error(std::uint32_t status, std::string_view what, std::string_view node);
std::shared_ptr<const Error> shared_node_error(std::uint32_t status, std::string_view what,
                                               std::string_view node);

Error cancelled();

}  // namespace tributary::connectors::opcua
