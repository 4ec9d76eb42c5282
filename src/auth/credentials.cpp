#include "auth/credentials.hpp"

#include <sodium.h>
#include <array>

namespace tributary::auth {

namespace {

constexpr std::string_view kTokenPrefix = "trb_";
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kRandomText = 43;  // base64 of 32 bytes without padding
constexpr std::size_t kChecksumText = 6;
constexpr int kBase64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::string_view kCodeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::size_t kCodeCharacters = 8;

using Digest = std::array<unsigned char, crypto_hash_sha256_BYTES>;

Digest sha256(std::string_view text) {
  Digest digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return digest;
}

std::string base64url(const std::array<unsigned char, 32>& bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  text.pop_back();  // libsodium's terminating zero
  return text;
}

std::string checksum(std::string_view text) {
  return base64url(sha256(text)).substr(0, kChecksumText);
}

// Letters and digits of a code, in capitals.
std::string normalised(std::string_view code) {
  std::string text;
  for (const char c : code) {
    if (c >= 'a' && c <= 'z') text += static_cast<char>(c - 'a' + 'A');
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) text += c;
  }
  return text;
}

}  // namespace

std::string make_cookie() {
  std::array<unsigned char, kRandomBytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return base64url(bytes);
}

std::string make_token() {
  const std::string text = std::string(kTokenPrefix) + make_cookie();
  return text + checksum(text);
}

bool is_token(std::string_view text) {
  constexpr std::size_t kBody = kTokenPrefix.size() + kRandomText;
  return text.size() == kBody + kChecksumText && text.starts_with(kTokenPrefix) &&
         checksum(text.substr(0, kBody)) == text.substr(kBody);
}

std::string make_setup_code() {
  std::string code;
  for (std::size_t i = 0; i < kCodeCharacters; ++i) {
    if (i == kCodeCharacters / 2) code += '-';
    code += kCodeAlphabet[randombytes_uniform(static_cast<std::uint32_t>(kCodeAlphabet.size()))];
  }
  return code;
}

bool same_setup_code(std::string_view expected, std::string_view given) {
  // Digests have one length, so neither length nor content of what was given shows in the time.
  const Digest a = sha256(normalised(expected));
  const Digest b = sha256(normalised(given));
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string sha256_hex(std::string_view text) {
  const Digest digest = sha256(text);
  std::string hex(digest.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  hex.pop_back();
  return hex;
}

}  // namespace tributary::auth
