// What people need to know of an X.509 certificate (RFC 5280), read from PEM. No sockets, no trust
// decisions: tls.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::net {

struct Certificate {
  std::string subject;  // "CN=broker.plant.local,O=Plant" (RFC 2253, newest first)
  std::string issuer;
  std::vector<std::string> names;  // DNS names and addresses it stands for
  UtcTime not_before;
  UtcTime not_after;
  std::string sha256;  // of the DER form, 64 lower-case hexadecimal digits
  std::string pem;

  bool self_signed() const { return subject == issuer; }
};

// A server's certificate as one session met it.
struct ShownCertificate {
  Certificate certificate;
  bool accepted = false;
  Error refusal;  // of class kTrust, when it was not accepted
};

// At least one certificate; other PEM blocks (keys, lists of revoked ones) are left out. At most
// kMaxCertificates are read. Error: kConfiguration "certificate_invalid"; `what` names the text in
// its message ("The CA certificate"), which never repeats the text.
inline constexpr std::size_t kMaxCertificates = 512;
Result<std::vector<Certificate>> read_certificates(std::string_view pem, std::string_view what);

// "AB:CD:…", as browsers and `openssl x509 -fingerprint` show it.
std::string fingerprint_text(std::string_view sha256);
// "CN=broker, issued by CN=Plant CA, valid 2026-01-01 to 2027-01-01, SHA-256 AB:CD:…"
std::string describe(const Certificate& certificate);

}  // namespace tributary::net
