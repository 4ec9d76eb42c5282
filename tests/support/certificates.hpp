// Certificates for tests: made in a moment, by an authority of the test's own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace tributary::test {

struct KeyPair {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct CertificateRequest {
  std::string common_name = "localhost";
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};
  // Relative to the wall clock.
  std::chrono::seconds valid_from = -std::chrono::hours{1};
  std::chrono::seconds valid_for = std::chrono::hours{24 * 365};
  int rsa_bits = 0;  // 0: an elliptic curve
  std::string usage = "critical,digitalSignature";
};

// A certificate that is its own issuer.
KeyPair self_signed(const CertificateRequest& request = {});

class Authority {
 public:
  explicit Authority(const std::string& common_name = "Test CA");
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // PEM, to be trusted.
  const std::string& certificate() const;
  KeyPair issue(const CertificateRequest& request = {}) const;
  // PEM: the list of what it has revoked, which is this certificate.
  std::string revoke(const std::string& certificate) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::test
