// The texts people and programs carry: tokens, session cookies and the setup code. All from
// libsodium's randomness.
#pragma once

#include <string>
#include <string_view>

namespace tributary::auth {

// "trb_", 256 random bits as base64url, and six characters of checksum: a mistyped or truncated
// token is told from a revoked one without a look at the store, and scanners can recognise a leaked
// one.
std::string make_token();
bool is_token(std::string_view text);

// 256 random bits as base64url.
std::string make_cookie();

// Eight characters that are not mistaken for each other (no 0, O, 1, I): "7F3K-Q2MD". 40 bits, for
// few tries only.
std::string make_setup_code();
// Compares in constant time; case, spaces and dashes do not matter.
bool same_setup_code(std::string_view expected, std::string_view given);

// SHA-256 as hexadecimal text: what is stored of tokens and cookies. They are random, so a plain
// hash is enough.
std::string sha256_hex(std::string_view text);

}  // namespace tributary::auth
