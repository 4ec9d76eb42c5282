// Where a value lies, as people write it. Pure.
//
//   DB1.DBX0.3  DB1.DBB2  DB1.DBW2  DB1.DBD4      a data block's bit, byte, word, double word
//   DB1,REAL8   DB1,STRING20.30  DB1,X0.3  DB1,INT4.10   with a type: a text for 30 characters, a
//                                                  list of ten
//   M0.3  MB4  MW4  MD4  M,REAL4                   merkers; I or E inputs, Q or A outputs
//   PIW256  PQW256 (PEW, PAW), IW256:P             the peripheral, past the process image
//   T5  C7 (Z7)                                    timers and counters
//
// Case and blanks do not matter; a leading % is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "connectors/s7/src/codec.hpp"
#include "connectors/s7/src/types.hpp"

namespace tributary::connectors::s7 {

// How much of memory the address itself says.
enum class Width : std::uint8_t { kNone, kBit, kByte, kWord, kDouble };

struct Address {
  Area area = Area::kMerkers;
  bool output = false;  // kPeripheral: PQ and not PI (two names for two directions of one area)
  std::uint16_t db = 0;
  std::uint32_t begin = 0;  // byte, or number of the timer or counter
  std::uint8_t bit = 0;
  Width width = Width::kNone;  // kNone: the type says it, or timers and counters
  std::optional<Type> type;
  std::uint16_t extra = 0;  // length of a text, or values of a list; 0: not said

  friend bool operator==(const Address&, const Address&) = default;
};

// What a byte address can be: three bytes of bits travel.
inline constexpr std::uint32_t kMaxByte = 0x1F'FFFF;

// Error: kFunction "bad_address", with what is expected where.
Result<Address> parse_address(std::string_view text);
// The form that parse_address understands as the same.
std::string to_string(const Address& address);
// "DB1", "M", "PI": what is before the byte, for messages.
std::string area_text(Area area, std::uint16_t db);

}  // namespace tributary::connectors::s7
