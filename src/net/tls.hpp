// TLS as a client, for whoever drives the handshake: our own streams, or a protocol library that
// takes an SSL_CTX. Builds the context from PEM texts (never files: keys stay in memory), decides
// whether the server's certificate is acceptable, and says in a classified Error what was wrong.
// Sources: RFC 8446 (alerts), RFC 5280 (paths), RFC 9525 (names).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "net/certificate.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace tributary::net {

enum class TlsVersion : std::uint8_t { k1_2, k1_3 };

// What a connector's settings "tls" and its secret "clientKey" say. Errors point at these:
// "/settings/tls/ca",
// "/settings/tls/clientCertificate", "/settings/tls/serverName", "/settings/tls/minimumVersion",
// "/settings/tls/verify",
// "/secrets/clientKey".
struct TlsOptions {
  std::string ca;  // PEM: who may issue the server's certificate, and lists of revoked
                   // ones; empty: the issuers that this machine trusts
  std::string client_certificate;    // PEM, with its chain; empty: none
  std::optional<Secret> client_key;  // PEM, without a passphrase
  std::string server_name;  // what the certificate must stand for; a name is also sent (SNI)
  TlsVersion minimum = TlsVersion::k1_2;
  bool verify = true;
  // PEM: server certificates that a person trusts for this connection, whoever issued them and
  // whatever they stand for. An expired one is refused all the same.
  std::vector<std::string> trusted;
};

// Made anew for each session. Lives on the session's executor.
class TlsClient {
 public:
  // Whether the texts can be used; no I/O. Errors, kConfiguration: "certificate_invalid",
  // "client_key_invalid", "client_key_missing", "client_certificate_missing",
  // "client_key_mismatch".
  static Result<void> check(const TlsOptions& options);
  // `now` decides what has expired. Errors: as check(); kInternal "tls_unavailable".
  static Result<std::unique_ptr<TlsClient>> make(const TlsOptions& options, UtcTime now);
  // The same rules on a context that a library has made, which keeps what they need until it goes:
  // the connections that it makes of this context may outlive this object.
  static Result<std::unique_ptr<TlsClient>> make_on(ssl_ctx_st* context, const TlsOptions& options,
                                                    UtcTime now);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // For one SSL object, made and freed while this lives. Verification, names, versions and the
  // client's certificate are set; SIGPIPE must be ignored by the process where the library writes
  // to the socket itself.
  ssl_ctx_st* context() const;

  // What the server showed; null before it did.
  const ShownCertificate* shown() const;
  // Why SSL_do_handshake, SSL_read or SSL_write with the result `result` did not work; not for
  // WANT_READ and WANT_WRITE. Looks at OpenSSL's error queue: call it at once. `peer` is how
  // messages call the server. Errors: kTrust "certificate_untrusted", "certificate_expired",
  // "certificate_not_yet_valid", "certificate_wrong_host", "certificate_revoked"; kIdentity
  // "client_certificate_required", "client_certificate_refused"; kConfiguration "tls_not_spoken",
  // "tls_version", "tls_no_common_cipher", "tls_server_name_refused"; kTransient
  // "connection_closed", "tls_failed" and those of error_from_errno.
  Error failed(const ssl_st* ssl, int result, std::string_view peer) const;
  // For a library that makes the handshake itself and was told of context() only after it had
  // begun: whether the certificate that the server showed in it is acceptable, now that it is done.
  // Errors: kTrust as failed(); kTransient "tls_failed" when the client's own certificate came too
  // late.
  Result<void> judge(const ssl_st* ssl, std::string_view peer) const;
  // The same for a connection that ended before it was of any use, whoever made the handshake: TLS
  // 1.3 refuses a client's certificate only after it.
  Error broken(std::string_view peer) const;
  // The fatal alert that the server sent, as failed() tells it: TLS 1.3 refuses a client's
  // certificate only after the handshake. Null when it sent none.
  std::optional<Error> alert(std::string_view peer) const;

 private:
  struct Impl;
  static Result<std::shared_ptr<Impl>> prepare(const TlsOptions& options, UtcTime now,
                                               ssl_ctx_st* context);
  explicit TlsClient(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// An address as it stands in a URL or a certificate; no name is sent for one (RFC 6066, section 3).
bool is_address(const std::string& host);

}  // namespace tributary::net
