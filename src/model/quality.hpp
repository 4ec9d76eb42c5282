// Quality of a sample: an OPC UA status code inside, "good", "uncertain" or "bad" outside (OPC
// 10000-4, 7.39).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tributary {

class Quality {
 public:
  constexpr Quality() = default;  // good
  constexpr explicit Quality(std::uint32_t status_code) : code_(status_code) {}

  constexpr std::uint32_t status_code() const { return code_; }
  // The two top bits: 00 good, 01 uncertain, 10 bad.
  constexpr bool is_good() const { return (code_ >> 30) == 0; }
  constexpr bool is_uncertain() const { return (code_ >> 30) == 1; }
  constexpr bool is_bad() const { return (code_ >> 30) >= 2; }
  friend constexpr bool operator==(Quality, Quality) = default;

  // "good", "uncertain" or "bad".
  std::string_view name() const;
  // "BadCommunicationError"; hexadecimal for codes without a name here.
  std::string code_name() const;

 private:
  std::uint32_t code_ = 0;
};

// OPC 10000-6, annex A.2.
inline constexpr Quality kGood{0x00000000};
inline constexpr Quality kUncertain{0x40000000};
inline constexpr Quality kUncertainLastUsableValue{0x40900000};
inline constexpr Quality kBad{0x80000000};
inline constexpr Quality kBadCommunicationError{0x80050000};
inline constexpr Quality kBadTimeout{0x800A0000};
inline constexpr Quality kBadOutOfService{0x808D0000};
inline constexpr Quality kBadNotConnected{0x808A0000};
inline constexpr Quality kBadDeviceFailure{0x808B0000};
inline constexpr Quality kBadConfigurationError{0x80890000};
inline constexpr Quality kBadOutOfRange{0x803C0000};
inline constexpr Quality kBadNotWritable{0x803B0000};
inline constexpr Quality kBadWaitingForInitialData{0x80320000};
inline constexpr Quality kBadNoData{0x809B0000};

}  // namespace tributary
