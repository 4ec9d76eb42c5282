#include "script/worker/digests.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace tributary::script {
namespace {

constexpr std::size_t kBlock = 64;  // bytes, of MD5 and SHA-1

enum class Order : std::uint8_t { kLittle, kBig };

template <Order order, typename Word>
void put(Word word, std::string& out) {
  for (std::size_t i = 0; i < sizeof word; ++i) {
    const std::size_t byte = order == Order::kLittle ? i : sizeof word - 1 - i;
    out += static_cast<char>(word >> (8 * byte) & 0xFF);
  }
}

template <Order order>
std::array<std::uint32_t, 16> words_of(std::string_view block) {
  std::array<std::uint32_t, 16> words{};
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::size_t byte = order == Order::kLittle ? i % 4 : 3 - i % 4;
    words[i / 4] |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(block[i])) << (8 * byte);
  }
  return words;
}

// Whole blocks: a one bit, zeros, and the length in bits (RFC 1321, 3.1; FIPS 180-4, 5.1.1).
template <Order order>
std::string padded(std::string_view bytes) {
  std::string text(bytes);
  text += '\x80';
  while (text.size() % kBlock != kBlock - 8) text += '\0';
  put<order>(static_cast<std::uint64_t>(bytes.size()) * 8, text);
  return text;
}

template <Order order, std::size_t Words, typename Step>
std::string digest_of(std::string_view bytes, std::array<std::uint32_t, Words> state, Step step) {
  const std::string text = padded<order>(bytes);
  for (std::size_t at = 0; at < text.size(); at += kBlock)
    step(state, words_of<order>(std::string_view(text).substr(at, kBlock)));
  std::string made;
  for (const std::uint32_t word : state) put<order>(word, made);
  return made;
}

// RFC 1321, 3.4: T[i] is the integer part of 4294967296 times abs(sin(i)).
const std::array<std::uint32_t, 64>& sines() {
  static const auto table = [] {
    std::array<std::uint32_t, 64> made{};
    for (std::size_t i = 0; i < made.size(); ++i)
      made[i] = static_cast<std::uint32_t>(
          std::floor(std::abs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
    return made;
  }();
  return table;
}

void md5_step(std::array<std::uint32_t, 4>& state, const std::array<std::uint32_t, 16>& words) {
  constexpr std::array<std::array<int, 4>, 4> kTurns = {
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (i / 16) {
      case 0:
        mixed = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mixed = (d & b) | (~d & c);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d);
        word = 7 * i % 16;
    }
    const std::uint32_t turned =
        b + std::rotl(a + mixed + sines()[i] + words[word], kTurns[i / 16][i % 4]);
    a = std::exchange(d, std::exchange(c, std::exchange(b, turned)));
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

std::string md5(std::string_view bytes) {
  return digest_of<Order::kLittle, 4>(bytes, {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476},
                                      &md5_step);
}

// FIPS 180-4, 6.1.2.
void sha1_step(std::array<std::uint32_t, 5>& state, const std::array<std::uint32_t, 16>& words) {
  std::array<std::uint32_t, 80> schedule{};
  std::ranges::copy(words, schedule.begin());
  for (std::size_t i = 16; i < schedule.size(); ++i)
    schedule[i] =
        std::rotl(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    std::uint32_t mixed = 0;
    if (i < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5A827999;
    } else if (i < 40) {
      mixed = (b ^ c ^ d) + 0x6ED9EBA1;
    } else if (i < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC;
    } else {
      mixed = (b ^ c ^ d) + 0xCA62C1D6;
    }
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + schedule[i];
    e = std::exchange(d, std::exchange(c, std::rotl(std::exchange(b, std::exchange(a, next)), 30)));
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
}

std::string sha1(std::string_view bytes) {
  return digest_of<Order::kBig, 5>(
      bytes, {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, &sha1_step);
}

template <std::string (*hash)(std::string_view)>
std::string hmac_by(std::string_view key, std::string_view bytes) {
  std::string block(key.size() > kBlock ? hash(key) : key);
  block.resize(kBlock, '\0');
  std::string inner;
  std::string outer;
  for (const char c : block) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5C);
  }
  return hash(outer + hash(inner.append(bytes)));
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

template <std::size_t Size, auto Hash>
std::string sodium_hash(std::string_view bytes) {
  std::array<unsigned char, Size> out{};
  Hash(out.data(), raw(bytes), bytes.size());
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

template <typename State, std::size_t Size, auto Init, auto Update, auto Final>
std::string sodium_hmac(std::string_view key, std::string_view bytes) {
  State state;
  std::array<unsigned char, Size> out{};
  Init(&state, raw(key), key.size());
  Update(&state, raw(bytes), bytes.size());
  Final(&state, out.data());
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}

constexpr std::array<Digest, 4> kDigests = {{
    {"md5", &md5, &hmac_by<&md5>},
    {"sha1", &sha1, &hmac_by<&sha1>},
    {"sha256", &sodium_hash<crypto_hash_sha256_BYTES, &crypto_hash_sha256>,
     &sodium_hmac<crypto_auth_hmacsha256_state, crypto_auth_hmacsha256_BYTES,
                  &crypto_auth_hmacsha256_init, &crypto_auth_hmacsha256_update,
                  &crypto_auth_hmacsha256_final>},
    {"sha512", &sodium_hash<crypto_hash_sha512_BYTES, &crypto_hash_sha512>,
     &sodium_hmac<crypto_auth_hmacsha512_state, crypto_auth_hmacsha512_BYTES,
                  &crypto_auth_hmacsha512_init, &crypto_auth_hmacsha512_update,
                  &crypto_auth_hmacsha512_final>},
}};

}  // namespace

const Digest* find_digest(std::string_view name) {
  const auto found = std::ranges::find(kDigests, name, &Digest::name);
  return found == kDigests.end() ? nullptr : &*found;
}

}  // namespace tributary::script
