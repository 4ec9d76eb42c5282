#include "field/format.hpp"

#include <array>

namespace tributary::field {
namespace {

constexpr std::array<std::string_view, 16> kTypeNames = {
    "bool",   "int8",    "uint8",   "int16",  "uint16", "int32", "uint32", "int64",
    "uint64", "float32", "float64", "string", "bit",    "bits",  "bcd16",  "bcd32"};
constexpr std::array<std::string_view, 8> kOrderNames = {
    "ABCD", "BADC", "CDAB", "DCBA", "CDABGHEF", "EFGHABCD", "DCBAHGFE", "FEHGBADC"};
constexpr std::array<std::string_view, 4> kEncodingNames = {"utf8", "ascii", "latin1", "utf16"};
constexpr std::array<std::string_view, 2> kPaddingNames = {"zero", "space"};

template <typename Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<DataType> parse_data_type(std::string_view name) {
  return parse<DataType>(kTypeNames, name);
}
std::string_view to_string(DataType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}
std::optional<ByteOrder> parse_byte_order(std::string_view name) {
  return parse<ByteOrder>(kOrderNames, name);
}
std::string_view to_string(ByteOrder order) {
  return kOrderNames[static_cast<std::size_t>(order)];
}
std::optional<Encoding> parse_encoding(std::string_view name) {
  return parse<Encoding>(kEncodingNames, name);
}
std::optional<Padding> parse_padding(std::string_view name) {
  return parse<Padding>(kPaddingNames, name);
}

std::size_t size_of(const Format& format) {
  switch (format.type) {
    case DataType::kBool:
    case DataType::kInt8:
    case DataType::kUint8:
      return 1;
    case DataType::kInt16:
    case DataType::kUint16:
    case DataType::kBcd16:
      return 2;
    case DataType::kInt32:
    case DataType::kUint32:
    case DataType::kFloat32:
    case DataType::kBcd32:
      return 4;
    case DataType::kInt64:
    case DataType::kUint64:
    case DataType::kFloat64:
      return 8;
    case DataType::kString:
      return format.length;
    case DataType::kBit:
    case DataType::kBits:
      return format.word;
  }
  return 1;
}

bool is_numeric(DataType type) {
  return type != DataType::kBool && type != DataType::kBit && type != DataType::kString;
}

bool swaps_bytes(ByteOrder order) {
  return order == ByteOrder::kBadc || order == ByteOrder::kDcba || order == ByteOrder::kDcbaHgfe ||
         order == ByteOrder::kFehgBadc;
}

}  // namespace tributary::field
