// Certificates that the hub makes for itself, with their keys, in files.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::net {

struct SelfSigned {
  std::string names;           // "DNS:localhost,IP:127.0.0.1": of the subject's alternative names
  std::string usage;           // "critical,digitalSignature"
  std::string extended_usage;  // "serverAuth"
  int days = 825;
  int rsa_bits = 0;  // 0: P-256
};

struct CertificateFiles {
  std::string certificate;  // PEM, with its chain
  std::string key;          // PEM
};

// FOLDER/certificate.pem and key.pem (0600), for "Tributary on HOST". Made, with the folder, when
// they are absent or end within 30 days. Blocking. Errors, kInternal: "data_dir_unwritable",
// "certificate_failed".
Result<CertificateFiles> keep_self_signed(const std::string& folder, const SelfSigned& request,
                                          UtcTime now);

// "DNS:HOST" when this machine has a name that a certificate can hold; else empty.
std::string host_name_entry();

}  // namespace tributary::net
