// The bodies of structures: bytes as documents, and back. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connectors/opcua/src/values.hpp"

namespace tributary::connectors::opcua {

inline constexpr int kDeepestValue = 16;  // structures and variants within each other
// The member by which a structure within another says its type, where that is not the declared one
// anyway.
inline constexpr std::string_view kTypeMember = "$type";

// Fields by their names; an optional field that is absent is left out, a union has the one member
// that it holds. A structure whose type the field does not fix says it by kTypeMember. Null when
// the bytes are not exactly what the type says: the type has changed, or the server lies.
std::optional<Json> decode_structure(std::span<const std::byte> body, const StructureType& type,
                                     const ValueContext& context, int depth);
// The inverse; every field must be there except optional ones. Errors: as to_variant.
Result<std::string> encode_structure(const Json& json, const StructureType& type,
                                     const ValueContext& context);

// ---- what values.cpp, variants.cpp and structures.cpp have in common ----

// A value that the library has decoded.
Json element(const void* at, const UA_DataType& type, const ValueContext& context, int depth);
// Into the cleared memory `at` of `target.type`. Errors: as to_variant.
Result<void> put(const Json& json, const TargetType& target, const ValueContext& context, void* at);
// The elements of nested lists in the order of the wire, and how many there are in each dimension.
// False when rows differ in length.
bool flatten(const Json& json, std::size_t depth, std::vector<const Json*>& flat,
             std::vector<UA_UInt32>& dimensions);
// The rows of a matrix, the last dimension innermost. The product of the dimensions is the size.
Json nested(std::span<const Json> flat, std::span<const UA_UInt32> dimensions);
// Numbers as `context.enumerations` wants them, also within lists.
void show_names(Json& numbers, const Enumeration* enumeration, const ValueContext& context);
std::unexpected<Error> refuse(std::string code, std::string message, std::string hint = {});
// A document in a message, shortened.
std::string shown(const Json& json);

}  // namespace tributary::connectors::opcua
