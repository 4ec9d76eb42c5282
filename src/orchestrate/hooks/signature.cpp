#include "orchestrate/hooks/signature.hpp"

#include <sodium.h>

#include <charconv>
#include <vector>

namespace tributary::orchestrate::hooks {
namespace {

constexpr std::size_t kMostSignatures = 8;  // in one header: keys may overlap while they change

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> decode(Encoding encoding, std::string_view text) {
  std::string decoded(text.size(), '\0');
  auto* out = reinterpret_cast<unsigned char*>(decoded.data());
  std::size_t size = 0;
  const char* end = nullptr;
  int failed = 0;
  if (encoding == Encoding::kHex) {
    failed = sodium_hex2bin(out, decoded.size(), text.data(), text.size(), nullptr, &size, &end);
  } else {
    failed = sodium_base642bin(out, decoded.size(), text.data(), text.size(), nullptr, &size, &end,
                               sodium_base64_VARIANT_ORIGINAL);
  }
  if (failed != 0 || end != text.data() + text.size()) return std::nullopt;
  decoded.resize(size);
  return decoded;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct Parts {
  std::string_view timestamp;
  std::vector<std::string_view> signatures;  // without the prefix
};

Parts read_parts(const SignatureRule& rule, const Signed& given) {
  Parts parts{given.timestamp, {}};
  const auto add = [&](std::string_view text) {
    if (text.starts_with(rule.prefix) && parts.signatures.size() < kMostSignatures)
      parts.signatures.push_back(text.substr(rule.prefix.size()));
  };
  if (!rule.list) {
    add(trimmed(given.header));
    return parts;
  }
  std::string_view rest = given.header;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string_view part = trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (part.starts_with("t=")) {
      parts.timestamp = part.substr(2);
    } else {
      add(part);
    }
  }
  return parts;
}

std::optional<UtcTime> read_time(std::string_view text) {
  std::int64_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t kFar = 100'000'000'000;  // the year 5138; milliseconds are beyond it
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (seconds < 0 || seconds > kFar) return std::nullopt;
  return UtcTime{std::chrono::seconds{seconds}};
}

std::string text_of(const SignatureRule& rule, const Signed& given, std::string_view timestamp) {
  constexpr std::string_view kTimestamp = "{timestamp}";
  constexpr std::string_view kBody = "{body}";
  std::string text;
  std::string_view rest = rule.signed_text;
  while (!rest.empty()) {
    if (rest.starts_with(kTimestamp)) {
      text += timestamp;
      rest.remove_prefix(kTimestamp.size());
    } else if (rest.starts_with(kBody)) {
      text += given.body;
      rest.remove_prefix(kBody.size());
    } else {
      text += rest.front();
      rest.remove_prefix(1);
    }
  }
  return text;
}

template <typename State, auto Init, auto Update, auto Final, std::size_t Size>
std::string keyed_hash(const Secret& secret, std::string_view text) {
  State state;
  Init(&state, bytes(secret.reveal()), secret.reveal().size());
  Update(&state, bytes(text), text.size());
  std::string code(Size, '\0');
  Final(&state, reinterpret_cast<unsigned char*>(code.data()));
  sodium_memzero(&state, sizeof state);
  return code;
}

}  // namespace

std::string hmac(Algorithm algorithm, const Secret& secret, std::string_view text) {
  if (algorithm == Algorithm::kSha512) {
    return keyed_hash<crypto_auth_hmacsha512_state, crypto_auth_hmacsha512_init,
                      crypto_auth_hmacsha512_update, crypto_auth_hmacsha512_final,
                      crypto_auth_hmacsha512_BYTES>(secret, text);
  }
  return keyed_hash<crypto_auth_hmacsha256_state, crypto_auth_hmacsha256_init,
                    crypto_auth_hmacsha256_update, crypto_auth_hmacsha256_final,
                    crypto_auth_hmacsha256_BYTES>(secret, text);
}

std::expected<std::string, SignatureFault> check_signature(const SignatureRule& rule,
                                                           const Secret& secret,
                                                           const Signed& given, UtcTime now) {
  using Fault = std::unexpected<SignatureFault>;
  if (given.header.empty()) return Fault(SignatureFault::kMissing);
  const Parts parts = read_parts(rule, given);
  std::optional<UtcTime> at;
  if (rule.has_time()) {
    at = read_time(parts.timestamp);
    if (!at) return Fault(SignatureFault::kNoTime);
  }
  std::string expected = hmac(rule.algorithm, secret, text_of(rule, given, parts.timestamp));
  bool right = false;
  for (const std::string_view text : parts.signatures) {
    const auto code = decode(rule.encoding, text);
    const bool equal = code && code->size() == expected.size() &&
                       sodium_memcmp(code->data(), expected.data(), expected.size()) == 0;
    right = right || equal;
  }
  if (!right) return Fault(SignatureFault::kWrong);
  // A stranger does not learn how far his clock is off.
  if (at && (*at > now ? *at - now : now - *at) > rule.tolerance)
    return Fault(SignatureFault::kTooOld);
  return expected;
}

}  // namespace tributary::orchestrate::hooks
