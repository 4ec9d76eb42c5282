#include "connectors/s7/src/lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connectors/s7/src/codec.hpp"
#include "field/text.hpp"

namespace tributary::connectors::s7 {
namespace {

constexpr std::array<BlockType, 7> kBlockTypes{{{std::byte{0x38}, "OB"},
                                                {std::byte{0x45}, "FB"},
                                                {std::byte{0x43}, "FC"},
                                                {std::byte{0x41}, "DB"},
                                                {std::byte{0x42}, "SDB"},
                                                {std::byte{0x46}, "SFB"},
                                                {std::byte{0x44}, "SFC"}}};

// A text of fixed length, without the blanks and zeros that fill it up.
std::string text_of(std::span<const std::byte> bytes) {
  field::Format format;
  format.type = field::DataType::kString;
  format.encoding = field::Encoding::kLatin1;
  format.length = static_cast<std::uint16_t>(bytes.size());
  return std::get<std::string>(field::decode_text(format, bytes).value);
}

}  // namespace

std::optional<SystemList> parse_system_list(std::span<const std::byte> bytes) {
  constexpr std::size_t kHeader = 8;
  if (bytes.size() < kHeader) return std::nullopt;
  SystemList list;
  list.id = load_u16(bytes.data());
  list.index = load_u16(&bytes[2]);
  list.record_size = load_u16(&bytes[4]);
  if (list.record_size == 0) return std::nullopt;
  const auto rest = bytes.subspan(kHeader);
  const std::size_t count =
      std::min<std::size_t>(load_u16(&bytes[6]), rest.size() / list.record_size);
  list.records = rest.first(count * list.record_size);
  return list;
}

// Records: index, 20 characters of order number, three words of which the last four bytes are the
// version: 'V' and three numbers.
void add_module(const SystemList& list, CpuInfo& info) {
  constexpr std::size_t kSize = 28;
  if (list.record_size < kSize) return;
  for (std::size_t at = 0; at < list.records.size(); at += list.record_size) {
    const auto record = list.records.subspan(at, kSize);
    const std::uint16_t index = load_u16(record.data());
    if (index == 1) info.order_number = text_of(record.subspan(2, 20));
    if (index == 7 && record[24] == std::byte{'V'}) {
      info.version =
          fmt::format("V{}.{}.{}", std::to_integer<int>(record[25]),
                      std::to_integer<int>(record[26]), std::to_integer<int>(record[27]));
    }
  }
}

// Records: index, 32 characters.
void add_component(const SystemList& list, CpuInfo& info) {
  constexpr std::size_t kSize = 34;
  if (list.record_size < kSize) return;
  for (std::size_t at = 0; at < list.records.size(); at += list.record_size) {
    const auto record = list.records.subspan(at, kSize);
    std::string text = text_of(record.subspan(2));
    switch (load_u16(record.data())) {
      case 1:
        info.name = std::move(text);
        break;
      case 2:
        if (info.module.empty()) info.module = std::move(text);
        break;
      case 3:
        info.plant = std::move(text);
        break;
      case 5:
        info.serial = std::move(text);
        break;
      case 7:
        info.module = std::move(text);
        break;
      default:
        break;
    }
  }
}

std::string_view parse_state(const SystemList& list) {
  constexpr std::size_t kStateAt = 3;
  if (list.records.size() <= kStateAt) return "unknown";
  switch (std::to_integer<int>(list.records[kStateAt]) & 0x0F) {
    case 3:
    case 4:
      return "stop";
    case 8:
      return "run";
    default:
      return "unknown";
  }
}

std::span<const BlockType> block_types() {
  return kBlockTypes;
}

std::vector<BlockCount> parse_block_counts(std::span<const std::byte> bytes) {
  std::vector<BlockCount> counts;
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    const auto type = std::ranges::find(kBlockTypes, bytes[1], &BlockType::code);
    if (bytes[0] == std::byte{0x30} && type != kBlockTypes.end())
      counts.push_back({&*type, load_u16(&bytes[2])});
  }
  return counts;
}

std::vector<std::uint16_t> parse_block_numbers(std::span<const std::byte> bytes) {
  std::vector<std::uint16_t> numbers;
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) numbers.push_back(load_u16(bytes.data()));
  return numbers;
}

std::optional<ClockTime> parse_clock_reply(std::span<const std::byte> bytes) {
  if (bytes.size() < 10) return std::nullopt;
  return load_date_and_time(bytes.subspan<2, 8>());
}

std::optional<std::array<std::byte, 10>> clock_request(const ClockTime& time) {
  const auto fields = store_date_and_time(time);
  if (!fields) return std::nullopt;
  std::array<std::byte, 10> bytes{};
  const bool last_century = time.day < std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);
  bytes[1] = last_century ? std::byte{0x19} : std::byte{0x20};
  std::ranges::copy(*fields, bytes.begin() + 2);
  return bytes;
}

}  // namespace tributary::connectors::s7
