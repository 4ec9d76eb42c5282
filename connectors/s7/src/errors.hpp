// What a CPU answers when it does not do what was asked, in words.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "connectors/s7/src/codec.hpp"
#include "model/quality.hpp"

namespace tributary::connectors::s7 {

// "DB1 bytes 4 to 19", "M byte 3", "T 5".
std::string describe(const Item& item);

// Of one item. kFunction: "address_out_of_range", "access_denied", "no_such_object",
// "type_not_supported", "hardware_fault", "refused".
Error item_error(std::uint8_t code, const Item& item, bool writes);
Quality item_quality(std::uint8_t code);
// Whether the item's neighbours may be fine: a smaller item is worth asking for.
bool worth_splitting(std::uint8_t code);

// Of a whole message, and of what is not memory. `what`: "read the list of blocks". kFunction
// "not_supported", "access_denied", "refused"; kIdentity "wrong_password".
Error message_error(std::uint16_t code, std::string_view what);

}  // namespace tributary::connectors::s7
