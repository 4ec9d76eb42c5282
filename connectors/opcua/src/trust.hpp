// Whether a server's certificate is acceptable (OPC 10000-4, 6.1.3): structure, chain, signature,
// policy, trust, time, host, application, usage, revocation, in this order and each with its own
// error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "net/certificate.hpp"

struct x509_st;

namespace tributary::connectors::opcua {

struct TrustOptions {
  std::string ca;  // PEM: issuers, or the server's own certificate, and lists of revoked ones
  std::vector<std::string> trusted;  // PEM: what a person accepted for this connection
  std::string host;                  // that the certificate must stand for; empty: any
  std::string application_uri;       // that the server claims to be
};

// `chain` is what the server shows: DER, its own certificate first. An acceptable one stays so
// until it expires; what a person accepted is acceptable whoever issued it and whatever it names,
// unless it is weak, has expired or was revoked. Refusals, kTrust, in the order of the steps:
// "certificate_invalid", "certificate_chain_incomplete", "certificate_signature_invalid",
// "certificate_weak", "certificate_untrusted", "certificate_expired", "certificate_not_yet_valid",
// "certificate_wrong_host", "certificate_wrong_application", "certificate_wrong_usage",
// "certificate_revocation_unknown", "certificate_revoked".
net::ShownCertificate judge(std::string_view chain, const TrustOptions& options, UtcTime now);

// The first certificate of a chain; empty when it is none.
std::string_view leaf_of(std::string_view chain);

// The URI among the names of a certificate (OPC 10000-6, 6.2.2).
std::string application_uri_of(x509_st* certificate);

}  // namespace tributary::connectors::opcua
