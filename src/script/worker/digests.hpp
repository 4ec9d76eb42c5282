// Digests by name, with their HMACs (RFC 2104): what libsodium has, and MD5 and SHA-1, which are
// broken but which old systems and signatures of webhooks still ask for.
#pragma once

#include <string>
#include <string_view>

namespace tributary::script {

struct Digest {
  std::string_view name;  // "sha256"
  std::string (*hash)(std::string_view bytes);
  std::string (*hmac)(std::string_view key, std::string_view bytes);
};

// "md5", "sha1", "sha256", "sha512"; null for any other name.
const Digest* find_digest(std::string_view name);

}  // namespace tributary::script
