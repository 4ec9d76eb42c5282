// The binary encoding of the built-in types (OPC 10000-6, 5.2.2), as far as the bodies of
// structures need it: where one value ends. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tributary::connectors::opcua {

// Bytes that the value of a built-in type at the head of `bytes` has; null when it does not fit
// there, nests deeper than 16, or is no value. `kind` is a UA_DataTypeKind.
std::optional<std::size_t> encoded_size(std::uint32_t kind, std::span<const std::byte> bytes);

}  // namespace tributary::connectors::opcua
