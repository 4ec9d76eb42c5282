#include "notices/signature.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>

namespace tributary::notices {

std::string signature(const Secret& secret, UtcTime at, std::string_view body) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  const std::string head = fmt::format("{}.", seconds);
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(secret.reveal()), secret.reveal().size());
  crypto_auth_hmacsha256_update(&state, bytes(head), head.size());
  crypto_auth_hmacsha256_update(&state, bytes(body), body.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> code{};
  crypto_auth_hmacsha256_final(&state, code.data());
  sodium_memzero(&state, sizeof state);
  std::string hex;
  for (const unsigned char byte : code) hex += fmt::format("{:02x}", byte);
  return fmt::format("t={},v1={}", seconds, hex);
}

}  // namespace tributary::notices
