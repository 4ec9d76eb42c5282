// The signature of a call: HMAC over the body, with or without a time. Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "base/time.hpp"

namespace tributary::orchestrate::hooks {

enum class Algorithm : std::uint8_t { kSha256, kSha512 };
enum class Encoding : std::uint8_t { kHex, kBase64 };

struct SignatureRule {
  Algorithm algorithm = Algorithm::kSha256;
  Encoding encoding = Encoding::kHex;
  std::string prefix;            // in front of the signature: "sha256="
  std::string timestamp_header;  // in lower case; empty: no time of its own
  // The header is a list of parts, "t=1763805600,v1=5257a8…": the time is the part t, and what
  // begins with the prefix is a signature.
  bool list = false;
  // What is signed: {body} and, where there is a time, {timestamp}.
  std::string signed_text = "{body}";
  Duration tolerance{};

  bool has_time() const { return list || !timestamp_header.empty(); }
};

enum class SignatureFault : std::uint8_t { kMissing, kWrong, kNoTime, kTooOld };

struct Signed {
  std::string_view header;     // the value that holds the signature
  std::string_view timestamp;  // the value of the header of the time
  std::string_view body;
};

// The signature's bytes when it is right: equal for a call that is sent again, however it is
// written. The time that this takes does not depend on how much of it is right.
std::expected<std::string, SignatureFault> check_signature(const SignatureRule& rule,
                                                           const Secret& secret,
                                                           const Signed& given, UtcTime now);

// The signature's bytes.
std::string hmac(Algorithm algorithm, const Secret& secret, std::string_view text);

}  // namespace tributary::orchestrate::hooks
