// Passwords: what is accepted, and how they are kept.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace tributary::auth {

// Characters, not bytes. Eight is the floor of OWASP ASVS 6.2, twelve is what the checklist asks
// for.
inline constexpr std::size_t kMinPasswordCharacters = 12;
inline constexpr std::size_t kMaxPasswordCharacters = 128;

// Error: kFunction "weak_password" (pointer "/password") that says what is wrong: too short, too
// long, common, or little more than the user's own name.
Result<void> check_password(const Secret& password, std::string_view username);

// True for what is guessed first: one character or a short piece repeated, runs along the digits,
// the alphabet or a keyboard row, and usual words ("password", "welcome", seasons, product names …)
// in any case and look-alike spelling, joined and decorated with digits and punctuation. Rules
// instead of a list: they cover a few hundred thousand spellings.
bool is_common_password(std::string_view password);

// Argon2id, 3 passes over 64 MiB, in libsodium's string form. Blocking, about 0.2 s.
// Error: kInternal "out_of_memory".
Result<std::string> hash_password(const Secret& password);
// Same cost whatever the answer.
bool verify_password(const std::string& hash, const Secret& password);
// True when the hash was made with other parameters than those above.
bool needs_rehash(const std::string& hash);
// A hash no password has, with the same cost: what unknown users are checked against.
const std::string& nobodys_hash();

}  // namespace tributary::auth
