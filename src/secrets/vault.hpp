// Secrets at rest: master key → per-profile key → XChaCha20-Poly1305, bound to profile, field and version (libsodium).
#pragma once

#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace tributary::secrets {

class Vault {
 public:
  // Reads DIR/master.key (32 bytes, mode 0400, owned by us, no symlink) or makes it when `may_create` (a new store).
  // Never makes a key over existing data. Errors, kInternal: "master_key_missing", "master_key_unsafe" (mode, owner or
  // symlink; the message says which), "master_key_invalid".
  static Result<std::unique_ptr<Vault>> open(const std::string& data_dir, bool may_create);
  ~Vault();

  // Opaque text for SecretRow::sealed: base64 of header (format, key id), nonce and ciphertext.
  std::string seal(std::string_view profile_id, std::string_view field, std::int64_t version, const Secret& secret) const;
  // Error: kConfiguration "secret_unavailable" when it was sealed for another place, altered, or with another key.
  Result<Secret> unseal(std::string_view profile_id, std::string_view field, std::int64_t version,
                        std::string_view sealed) const;

 private:
  struct Impl;
  explicit Vault(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A stored secret may be a reference instead of a value: "env:NAME" or "file:/path". Resolved on each connection attempt.
// Error: kConfiguration "secret_unavailable".
Result<Secret> resolve_reference(const Secret& stored);

}  // namespace tributary::secrets
