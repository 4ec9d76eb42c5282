#include "connectors/s7/src/errors.hpp"

#include <fmt/format.h>

#include "connectors/s7/src/address.hpp"

namespace tributary::connectors::s7 {
namespace {

struct ItemMeaning {
  std::uint8_t code;
  const char* name;
  const char* text;
  const char* hint;
  Quality quality;
  bool split;
};
constexpr ItemMeaning kItems[] = {
    {0x01, "hardware_fault", "one of its modules has a fault",
     "Look at the CPU's diagnostics buffer.", kBadDeviceFailure, true},
    {0x03, "access_denied", "access is not allowed",
     "Is PUT/GET access permitted in the CPU's protection settings, and does its protection level "
     "allow this?",
     kBadConfigurationError, false},
    {0x05, "address_out_of_range", "the address is beyond the end",
     "Is the data block as long as that, are the offsets those of the block as it was loaded, and "
     "is "
     "its optimized block access off?",
     kBadConfigurationError, true},
    {0x06, "type_not_supported", "it does not know this kind of access",
     "Timers and counters exist only in S7-300 and S7-400.", kBadConfigurationError, false},
    {0x07, "type_not_supported", "the kind of access does not fit",
     "Timers and counters exist only in S7-300 and S7-400.", kBadConfigurationError, false},
    {0x0A, "no_such_object", "it does not exist",
     "Is the data block loaded? With optimized block access it has no addresses: switch that off "
     "in "
     "the block's attributes and load it again.",
     kBadConfigurationError, true},
};

const ItemMeaning* find_item(std::uint8_t code) {
  for (const ItemMeaning& meaning : kItems) {
    if (meaning.code == code) return &meaning;
  }
  return nullptr;
}

struct MessageMeaning {
  std::uint16_t code;
  ErrorClass error_class;
  const char* name;
  const char* text;
  const char* hint;
};
constexpr const char* kProtected =
    "Is PUT/GET access permitted, does the protection level allow this, and does it need the "
    "password?";
constexpr MessageMeaning kMessages[] = {
    {0x8104, ErrorClass::kFunction, "not_supported", "it does not have this function",
     "S7-1200 and S7-1500 have fewer of these functions than S7-300 and S7-400."},
    {0x8500, ErrorClass::kFunction, "refused", "the message is too long for it",
     "Set a smaller PDU size."},
    {0xD001, ErrorClass::kFunction, "refused", "it does not allow this in its state", ""},
    {0xD201, ErrorClass::kFunction, "refused", "the name of the block is wrong", ""},
    {0xD209, ErrorClass::kFunction, "no_such_object", "there is no such block", ""},
    {0xD240, ErrorClass::kFunction, "access_denied", "its mode switch forbids it",
     "Turn the mode switch of the CPU."},
    {0xD241, ErrorClass::kFunction, "access_denied", "it is protected", kProtected},
    {0xD401, ErrorClass::kFunction, "not_supported", "it does not know this list", ""},
    {0xD402, ErrorClass::kFunction, "not_supported", "it does not know this part of the list", ""},
    {0xD602, ErrorClass::kIdentity, "wrong_password", "the password is wrong",
     "Enter the password of the CPU's protection level again."},
    {0xD604, ErrorClass::kIdentity, "wrong_password", "the connection is unlocked already", ""},
    {0xD605, ErrorClass::kIdentity, "wrong_password", "it has no password",
     "Clear the password of this connection."},
};

}  // namespace

std::string describe(const Item& item) {
  const std::string area = area_text(item.area, item.db);
  if (item.bit >= 0) return fmt::format("{} bit {}.{}", area, item.begin, item.bit);
  const std::string_view unit = is_counted(item.area) ? "" : " byte";
  if (item.amount == 1) return fmt::format("{}{} {}", area, unit, item.begin);
  return fmt::format("{}{}{} {} to {}", area, unit, is_counted(item.area) ? "" : "s", item.begin,
                     item.begin + item.amount - 1);
}

Error item_error(std::uint8_t code, const Item& item, bool writes) {
  const char* verb = writes ? "write" : "read";
  const ItemMeaning* meaning = find_item(code);
  if (meaning == nullptr) {
    return {ErrorClass::kFunction, "refused",
            fmt::format("The CPU refused to {} {}: its code 0x{:02X}.", verb, describe(item), code),
            "Look at the CPU's diagnostics buffer."};
  }
  return {ErrorClass::kFunction, meaning->name,
          fmt::format("The CPU refused to {} {}: {} (code 0x{:02X}).", verb, describe(item),
                      meaning->text, code),
          meaning->hint};
}

Quality item_quality(std::uint8_t code) {
  const ItemMeaning* meaning = find_item(code);
  return meaning == nullptr ? kBadDeviceFailure : meaning->quality;
}

bool worth_splitting(std::uint8_t code) {
  const ItemMeaning* meaning = find_item(code);
  return meaning != nullptr && meaning->split;
}

Error message_error(std::uint16_t code, std::string_view what) {
  for (const MessageMeaning& meaning : kMessages) {
    if (meaning.code != code) continue;
    return {meaning.error_class, meaning.name,
            fmt::format("The CPU refused to {}: {} (code 0x{:04X}).", what, meaning.text, code),
            meaning.hint, meaning.error_class == ErrorClass::kIdentity ? "/secrets/password" : ""};
  }
  return {ErrorClass::kFunction, "refused",
          fmt::format("The CPU refused to {}: its code 0x{:04X}.", what, code), kProtected};
}

}  // namespace tributary::connectors::s7
