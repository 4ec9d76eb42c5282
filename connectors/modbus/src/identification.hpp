// What a device says about itself: function 43/14 (V1.1b3, section 6.21).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tributary::connectors::modbus {

// Objects 0 to 2 must exist in every device that knows the function; 3 to 6 are optional.
inline constexpr std::uint8_t kVendorName = 0;
inline constexpr std::uint8_t kProductCode = 1;
inline constexpr std::uint8_t kRevision = 2;
inline constexpr std::uint8_t kProductName = 4;
inline constexpr std::uint8_t kModelName = 5;

// Read device id codes.
inline constexpr std::uint8_t kReadBasic = 1;
inline constexpr std::uint8_t kReadRegular = 2;

struct IdentificationObject {
  std::uint8_t id = 0;
  std::string text;  // UTF-8; Latin-1 is converted
};
// One answer: an answer may hold a part of the objects only.
struct IdentificationPage {
  std::vector<IdentificationObject> objects;
  bool more = false;
  std::uint8_t next = 0;  // the object to ask for next, when there is more
};

// `data` is Reply::data. False when it is not an identification.
bool parse_identification(std::span<const std::byte> data, IdentificationPage& page);
// "vendorName", "productCode", "revision", "vendorUrl", "productName", "modelName",
// "applicationName"; "object128" for others.
std::string object_name(std::uint8_t id);
// The server's side: all of `objects` from `first` on that fit one answer, as Reply::data.
std::vector<std::byte> write_identification(std::span<const IdentificationObject> objects,
                                            std::uint8_t read_code, std::uint8_t first);

}  // namespace tributary::connectors::modbus
