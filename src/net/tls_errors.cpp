#include "net/tls_errors.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

#include "net/options.hpp"

namespace tributary::net {
namespace {

constexpr std::string_view kCa = "/settings/tls/ca";
constexpr std::string_view kServerName = "/settings/tls/serverName";
constexpr std::string_view kMinimumVersion = "/settings/tls/minimumVersion";
constexpr std::string_view kClientCertificate = "/settings/tls/clientCertificate";

struct Refusal {
  int code;  // X509_V_ERR_…
  std::string_view name;
  std::string_view text;  // completes "The certificate … "
  std::string_view hint;
  std::string_view pointer;
};

constexpr std::string_view kTrustIt =
    "Enter the certificate of its issuer (CA), or compare the fingerprint with the server's and "
    "trust "
    "this certificate.";

constexpr auto kRefusals = std::to_array<Refusal>({
    {X509_V_ERR_CERT_HAS_EXPIRED, "certificate_expired", "has expired",
     "Renew it at the server; the hub looks again by itself. Is the hub's clock right?", kCa},
    {X509_V_ERR_CERT_NOT_YET_VALID, "certificate_not_yet_valid", "is not valid yet",
     "Are the clocks of the hub and of the certificate's issuer right?", kCa},
    {X509_V_ERR_HOSTNAME_MISMATCH, "certificate_wrong_host", "is for another host",
     "Enter the host by a name that the certificate holds, or that name as the server name.",
     kServerName},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "certificate_wrong_host", "is for another host",
     "Enter the host by a name that the certificate holds, or that name as the server name.",
     kServerName},
    {X509_V_ERR_CERT_REVOKED, "certificate_revoked", "was revoked by its issuer",
     "Somebody withdrew it, perhaps because its key was stolen. Ask the server's administrator.",
     kCa},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate_untrusted",
     "was issued by the server itself", kTrustIt, kCa},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate_untrusted",
     "comes from an issuer that is not trusted", kTrustIt, kCa},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate_untrusted",
     "comes from an issuer that is not known", kTrustIt, kCa},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate_untrusted",
     "comes from an issuer that is not known", kTrustIt, kCa},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "certificate_untrusted",
     "comes from an issuer that is not known", kTrustIt, kCa},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate_untrusted",
     "does not bear its issuer's signature", kTrustIt, kCa},
    {X509_V_ERR_UNABLE_TO_GET_CRL, "certificate_untrusted",
     "cannot be checked: its issuer's list of revoked certificates is missing",
     "Add the issuer's list (CRL) to the CA certificates, or leave all lists out.", kCa},
    {X509_V_ERR_CRL_HAS_EXPIRED, "certificate_untrusted",
     "cannot be checked: its issuer's list of revoked certificates is out of date",
     "Replace the list (CRL) among the CA certificates by the newest one.", kCa},
});

std::string validity(const Certificate& certificate) {
  return fmt::format("{} to {}", format_utc(certificate.not_before),
                     format_utc(certificate.not_after));
}

std::string names_text(const Certificate& certificate) {
  constexpr std::size_t kMaxNamesShown = 8;
  std::string text;
  for (std::size_t i = 0; i < certificate.names.size() && i < kMaxNamesShown; ++i) {
    text += (i > 0 ? ", " : "") + certificate.names[i];
  }
  if (text.empty()) return certificate.subject;
  return certificate.names.size() > kMaxNamesShown ? text + " …" : text;
}

bool about_client_certificate(int alert) {
  switch (alert) {
    case SSL3_AD_BAD_CERTIFICATE:
    case SSL3_AD_UNSUPPORTED_CERTIFICATE:
    case SSL3_AD_CERTIFICATE_REVOKED:
    case SSL3_AD_CERTIFICATE_EXPIRED:
    case SSL3_AD_CERTIFICATE_UNKNOWN:
    case TLS1_AD_UNKNOWN_CA:
    case TLS1_AD_ACCESS_DENIED:
    case TLS1_AD_DECRYPT_ERROR:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

Error client_certificate_error(int alert, bool sent, std::string_view peer) {
  if (!sent) {
    return {ErrorClass::kIdentity, "client_certificate_required",
            fmt::format("{} wants a certificate of the hub and got none", peer),
            "Enter a client certificate and its key that the server accepts.",
            std::string(kClientCertificate)};
  }
  return {ErrorClass::kIdentity, "client_certificate_refused",
          fmt::format("{} did not accept the client certificate: {}", peer,
                      SSL_alert_desc_string_long(alert)),
          "Was it issued by a CA that the server trusts, and is it still valid?",
          std::string(kClientCertificate)};
}

Error version_error(std::string_view peer) {
  return {ErrorClass::kConfiguration, "tls_version",
          fmt::format("{} speaks no TLS version that the hub may use", peer),
          "The server offers only older versions than the minimum version of this connection. "
          "Update the server, or lower the minimum to 1.2.",
          std::string(kMinimumVersion)};
}

Error cipher_error(std::string_view peer) {
  return {ErrorClass::kConfiguration, "tls_no_common_cipher",
          fmt::format("{} refused the TLS handshake: no common cipher or key type", peer),
          "Does the server support TLS 1.2 or 1.3 with AES-GCM or ChaCha20? Does it want a client "
          "certificate?",
          std::string(kMinimumVersion)};
}

}  // namespace

Error certificate_refused(int code, int depth, const Certificate& server,
                          const Certificate& culprit, std::string_view wanted_name) {
  const auto found = std::ranges::find(kRefusals, code, &Refusal::code);
  const bool known = found != kRefusals.end();
  std::string text =
      known ? std::string(found->text)
            : fmt::format("is not acceptable ({})", X509_verify_cert_error_string(code));
  if (known && found->name == "certificate_wrong_host") {
    text += fmt::format(": it stands for {}, not for {}", names_text(server), wanted_name);
  }
  if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) {
    text += fmt::format(" (valid {})", validity(culprit));
  }
  const std::string whose = depth == 0
                                ? "The server's certificate"
                                : fmt::format("The certificate of the issuer {}", culprit.subject);
  return {ErrorClass::kTrust, known ? std::string(found->name) : "certificate_untrusted",
          fmt::format("{} {}. The server showed: {}", whose, text, describe(server)),
          known ? std::string(found->hint) : std::string(kTrustIt),
          known ? std::string(found->pointer) : std::string(kCa)};
}

Error alert_received(int alert, bool asked, bool sent, std::string_view peer) {
  if (about_client_certificate(alert)) return client_certificate_error(alert, sent, peer);
  switch (alert) {
    case TLS1_AD_PROTOCOL_VERSION:
      return version_error(peer);
    case SSL3_AD_HANDSHAKE_FAILURE:
    case TLS1_AD_INSUFFICIENT_SECURITY:
      // TLS 1.2 has no alert of its own for an absent client certificate.
      if (asked && !sent) return client_certificate_error(alert, sent, peer);
      return cipher_error(peer);
    case TLS1_AD_UNRECOGNIZED_NAME:
      return {ErrorClass::kConfiguration, "tls_server_name_refused",
              fmt::format("{} knows no server of this name", peer),
              "Enter the server name that the server expects.", std::string(kServerName)};
    default:
      return {ErrorClass::kTransient, "tls_failed",
              fmt::format("{} ended TLS with the alert \"{}\"", peer,
                          SSL_alert_desc_string_long(alert)),
              "The server's log says more."};
  }
}

Error handshake_failed(int reason, std::string_view text, std::string_view peer) {
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE:
      return {ErrorClass::kConfiguration, "tls_not_spoken",
              fmt::format("{} answered with something that is not TLS", peer),
              "Is this the server's TLS port? Or switch TLS off, on a network you trust.",
              "/settings/port"};
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNSUPPORTED_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return version_error(peer);
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return closed_during_tls(peer);
    default:
      return {ErrorClass::kTransient, "tls_failed",
              fmt::format("TLS with {} failed: {}", peer, text), "The server's log may say more."};
  }
}

Error cut_during_tls(int error_number, std::string_view peer) {
  Error error = error_from_errno(error_number, "shake hands with", peer);
  if (error.code == "connection_reset") {
    error.hint = "Is this the server's TLS port? Its log says why it cut the connection.";
  }
  return error;
}

Error closed_during_tls(std::string_view peer) {
  return {ErrorClass::kTransient, "connection_closed",
          fmt::format("{} closed the connection during the TLS handshake", peer),
          "Is this the server's TLS port? Its log says why it closed."};
}

}  // namespace tributary::net
