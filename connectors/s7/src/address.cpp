#include "connectors/s7/src/address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tributary::connectors::s7 {
namespace {

constexpr const char* kHint =
    "Write DB1.DBX0.3, DB1.DBW2, DB1,REAL8, M0.3, MW4, IB0, QX1.0, PIW256, T5 or C7.";

// Upper case without blanks.
std::string normal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

// Reads from left to right.
class Reader {
 public:
  Reader(std::string_view rest, std::string_view whole) : rest_(rest), whole_(whole) {}

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool empty() const { return rest_.empty(); }

  Result<std::uint32_t> number(std::string_view what, std::uint32_t most) {
    if (!at_digit()) return refuse(fmt::format("{} is missing", what));
    std::uint64_t value = 0;
    while (at_digit()) {
      value = value * 10 + static_cast<std::uint64_t>(rest_.front() - '0');
      if (value > most) return refuse(fmt::format("{} is above {}", what, most));
      rest_.remove_prefix(1);
    }
    return static_cast<std::uint32_t>(value);
  }
  // The letters of a type: up to the digits of the byte, which a name may hold too (S5TIME, BCD16).
  std::optional<Type> type() {
    std::optional<Type> best;
    std::size_t length = 0;
    for (std::size_t i = 1; i <= std::min<std::size_t>(rest_.size(), 13); ++i) {
      const auto found = parse_type(rest_.substr(0, i));
      if (!found) continue;
      best = found;
      length = i;
    }
    if (best) rest_.remove_prefix(length);
    return best;
  }
  std::unexpected<Error> refuse(std::string_view why) const {
    return fail(ErrorClass::kFunction, "bad_address",
                fmt::format("'{}' is not an address: {}.", whole_, why), kHint);
  }

 private:
  std::string_view rest_;
  std::string_view whole_;
};

struct Letter {
  std::string_view text;
  Width width;
};
constexpr Letter kLetters[] = {
    {"X", Width::kBit}, {"B", Width::kByte}, {"W", Width::kWord}, {"D", Width::kDouble}};

std::optional<Width> take_letter(Reader& reader) {
  for (const Letter& letter : kLetters) {
    if (reader.take(letter.text)) return letter.width;
  }
  return std::nullopt;
}

// What follows the area: a letter or a type, the byte, and a bit or how much.
Result<void> read_place(Reader& reader, bool typed, Address& address) {
  if (typed) address.type = reader.type();
  if (!address.type) {
    const auto width = take_letter(reader);
    if (!width && typed)
      return reader.refuse("a type such as REAL or a letter X, B, W or D is missing");
    address.width = width.value_or(Width::kNone);
  }
  const auto byte = reader.number("the byte", kMaxByte);
  if (!byte) return std::unexpected(byte.error());
  address.begin = *byte;
  if (address.type == Type::kBool) {
    address.type.reset();
    address.width = Width::kBit;
  }
  if (address.width == Width::kNone && !address.type) address.width = Width::kBit;  // M0.3
  if (address.width == Width::kBit) {
    if (!reader.take(".")) return reader.refuse("a bit needs .0 to .7 behind its byte");
    const auto bit = reader.number("the bit", 7);
    if (!bit) return std::unexpected(bit.error());
    address.bit = static_cast<std::uint8_t>(*bit);
  }
  if (reader.take(".")) {
    const auto extra = reader.number("the length", std::numeric_limits<std::uint16_t>::max());
    if (!extra) return std::unexpected(extra.error());
    if (*extra == 0) return reader.refuse("a length of 0 is nothing");
    address.extra = static_cast<std::uint16_t>(*extra);
  }
  return {};
}

Result<void> read_data_block(Reader& reader, Address& address) {
  address.area = Area::kDataBlocks;
  const auto db = reader.number("the number of the data block", 65535);
  if (!db) return std::unexpected(db.error());
  address.db = static_cast<std::uint16_t>(*db);
  if (reader.take(".DB")) return read_place(reader, false, address);
  if (reader.take(",") || reader.take(".")) return read_place(reader, true, address);
  return reader.refuse("behind the data block stands .DBX, .DBB, .DBW, .DBD or a comma and a type");
}

struct AreaName {
  std::string_view text;
  Area area;
  bool output;
};
// The first of each area is the one that is written.
constexpr AreaName kAreas[] = {
    {"PI", Area::kPeripheral, false}, {"PE", Area::kPeripheral, false},
    {"PQ", Area::kPeripheral, true},  {"PA", Area::kPeripheral, true},
    {"M", Area::kMerkers, false},     {"I", Area::kInputs, false},
    {"E", Area::kInputs, false},      {"Q", Area::kOutputs, false},
    {"A", Area::kOutputs, false},
};

Result<void> read_address(Reader& reader, Address& address) {
  if (reader.take("DB")) return read_data_block(reader, address);
  for (const AreaName& name : kAreas) {
    if (!reader.take(name.text)) continue;
    address.area = name.area;
    address.output = name.output;
    TRIBUTARY_TRY(read_place(reader, reader.take(","), address));
    const bool image = name.area == Area::kInputs || name.area == Area::kOutputs;
    if (image && reader.take(":P")) {  // as TIA Portal writes the peripheral
      address.area = Area::kPeripheral;
      address.output = name.area == Area::kOutputs;
    }
    return {};
  }
  const bool timer = reader.take("T");
  if (timer || reader.take("C") || reader.take("Z")) {
    address.area = timer ? Area::kTimers : Area::kCounters;
    const auto number = reader.number("the number", 65535);
    if (!number) return std::unexpected(number.error());
    address.begin = *number;
    return {};
  }
  return reader.refuse("it names no area");
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) {
    return fail(ErrorClass::kFunction, "bad_address", "The address is too long to be one.", kHint);
  }
  const std::string upper = normal(text);
  Reader reader(upper, text);
  reader.take("%");
  Address address;
  TRIBUTARY_TRY(read_address(reader, address));
  if (!reader.empty()) return reader.refuse("something follows that belongs to none");
  return address;
}

std::string area_text(Area area, std::uint16_t db) {
  switch (area) {
    case Area::kDataBlocks:
      return fmt::format("DB{}", db);
    case Area::kTimers:
      return "T";
    case Area::kCounters:
      return "C";
    default:
      break;
  }
  for (const AreaName& name : kAreas) {
    if (name.area == area) return std::string(name.text);
  }
  return {};
}

std::string to_string(const Address& address) {
  if (is_counted(address.area))
    return fmt::format("{}{}", area_text(address.area, 0), address.begin);
  std::string text = address.output ? "PQ" : area_text(address.area, address.db);
  if (address.type) {
    text += fmt::format(",{}", to_string(*address.type));
  } else {
    if (address.area == Area::kDataBlocks) text += ".DB";
    for (const Letter& letter : kLetters) {
      // Merkers and the like write a bit without its letter.
      const bool bare = letter.width == Width::kBit && address.area != Area::kDataBlocks;
      if (letter.width == address.width && !bare) text += letter.text;
    }
  }
  text += fmt::format("{}", address.begin);
  if (address.width == Width::kBit) text += fmt::format(".{}", address.bit);
  if (address.extra != 0) text += fmt::format(".{}", address.extra);
  return text;
}

}  // namespace tributary::connectors::s7
