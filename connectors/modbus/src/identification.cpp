#include "connectors/modbus/src/identification.hpp"

#include <fmt/format.h>

#include <array>

#include "connectors/modbus/src/codec.hpp"
#include "field/text.hpp"

namespace tributary::connectors::modbus {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"vendorName",     "productCode", "revision",
                                                    "vendorUrl",      "productName", "modelName",
                                                    "applicationName"};
// MEI type, read code, conformity, more follows, next object, count.
constexpr std::size_t kHead = 6;
// Regular objects, one at a time and as a stream.
constexpr std::byte kConformity{0x82};

}  // namespace

bool parse_identification(std::span<const std::byte> data, IdentificationPage& page) {
  page = {};
  if (data.size() < kHead || data[0] != std::byte{14}) return false;
  page.more = data[3] == std::byte{0xFF};
  page.next = std::to_integer<std::uint8_t>(data[4]);
  std::span<const std::byte> rest = data.subspan(kHead);
  for (unsigned left = std::to_integer<unsigned>(data[5]); left > 0; --left) {
    if (rest.size() < 2) return false;
    const auto length = std::to_integer<std::size_t>(rest[1]);
    if (rest.size() < 2 + length) return false;
    std::string text(reinterpret_cast<const char*>(rest.data()) + 2, length);
    if (!field::is_utf8(text)) text = field::latin1_to_utf8(text);
    page.objects.push_back({std::to_integer<std::uint8_t>(rest[0]), std::move(text)});
    rest = rest.subspan(2 + length);
  }
  return rest.empty();
}

std::string object_name(std::uint8_t id) {
  if (id < kNames.size()) return std::string(kNames[id]);
  return fmt::format("object{}", id);
}

std::vector<std::byte> write_identification(std::span<const IdentificationObject> objects,
                                            std::uint8_t read_code, std::uint8_t first) {
  std::vector<std::byte> out{std::byte{14}, static_cast<std::byte>(read_code),
                             kConformity,   std::byte{0},
                             std::byte{0},  std::byte{0}};
  for (const IdentificationObject& object : objects) {
    if (object.id < first) continue;
    if (out.size() + 2 + object.text.size() > kMaxPduSize - 1) {
      out[3] = std::byte{0xFF};
      out[4] = static_cast<std::byte>(object.id);
      break;
    }
    out.push_back(static_cast<std::byte>(object.id));
    out.push_back(static_cast<std::byte>(object.text.size()));
    for (const char c : object.text) out.push_back(static_cast<std::byte>(c));
    out[5] = static_cast<std::byte>(std::to_integer<unsigned>(out[5]) + 1);
  }
  return out;
}

}  // namespace tributary::connectors::modbus
