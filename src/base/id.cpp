#include "base/id.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace tributary {
namespace {

constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford: no I, L, O, U
constexpr std::size_t kTimeLength = 10;
constexpr std::size_t kLength = 26;

}  // namespace

std::string make_id(UtcTime now) {
  std::string id(kLength, '0');
  auto millis = static_cast<std::uint64_t>(to_micros(now) / 1000);
  for (std::size_t i = kTimeLength; i-- > 0;) {
    id[i] = kAlphabet[millis & 31];
    millis >>= 5;
  }
  std::array<unsigned char, kLength - kTimeLength> chance{};
  randombytes_buf(chance.data(), chance.size());
  for (std::size_t i = 0; i < chance.size(); ++i) id[kTimeLength + i] = kAlphabet[chance[i] & 31];
  return id;
}

bool is_id(std::string_view text) {
  return text.size() == kLength && text.front() <= '7' && std::ranges::all_of(text, [](char c) {
           return kAlphabet.find(c) != std::string_view::npos;
         });
}

}  // namespace tributary
