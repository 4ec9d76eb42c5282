// Which version of a connection's credentials an attempt uses. A stored secret has a version; what
// stands behind a reference (env:, file:) changes without anybody telling us, so the content
// decides.
#pragma once

#include <array>
#include <map>
#include <string>

#include "connect/profile.hpp"

namespace tributary::connect {

class CredentialVersions {
 public:
  // An attempt is about to use this profile. The credentials that the attempt before it, in this
  // process, did not have: "password, tls/ca"; empty when all are the same, or for the first
  // attempt.
  std::string note(const ConnectionConfig& config, const sdk::Profile& profile);
  // Of the profile that was noted last, as credential_fingerprint() makes it.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  using Digest = std::array<unsigned char, 32>;
  std::map<std::string, Digest> seen_;  // keyed hashes, never the values
  std::string fingerprint_;
  bool first_ = true;
};

// Whether a secret or a certificate of the profile is a reference.
bool has_references(const ConnectionConfig& config, const secrets::Vault& vault);

// A keyed hash over all credentials as an attempt would read them now; empty when one cannot be
// read.
std::string credential_fingerprint(const ConnectionConfig& config, const secrets::Vault& vault);

}  // namespace tributary::connect
