// What TLS can say, as classified errors.
#pragma once

#include <string>
#include <string_view>

#include "net/certificate.hpp"

namespace tributary::net {

// Why a server's certificate is not acceptable. `code` is X509_V_ERR_…, `depth` 0 the server's own
// certificate, above it that of an issuer (`culprit`).
Error certificate_refused(int code, int depth, const Certificate& server,
                          const Certificate& culprit, std::string_view wanted_name);
// A fatal alert of the server (RFC 8446, section 6.2). `asked` and `sent`: it asked for a client's
// certificate, and got one.
Error alert_received(int alert, bool asked, bool sent, std::string_view peer);
// OpenSSL gave up by itself. `reason` is SSL_R_…, `text` what OpenSSL calls it.
Error handshake_failed(int reason, std::string_view text, std::string_view peer);
Error closed_during_tls(std::string_view peer);
// The socket failed. As error_from_errno.
Error cut_during_tls(int error_number, std::string_view peer);

}  // namespace tributary::net
