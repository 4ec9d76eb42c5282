// The hub's own TLS certificate.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "net/self_signed.hpp"
#include "runtime/task.hpp"

namespace tributary::api {

using net::CertificateFiles;

// DATA_DIR/tls/certificate.pem and key.pem (0600): P-256, for localhost, 127.0.0.1, ::1 and this
// machine's name, 825 days. Made when they are absent or end within 30 days. Errors, kInternal:
// "data_dir_unwritable", "certificate_failed".
Result<CertificateFiles> own_certificate(const std::string& data_dir, UtcTime now);

// TLS 1.2 and 1.3, forward secrecy and AEAD only, no renegotiation, no compression. Errors,
// kConfiguration: "certificate_invalid" with what is wrong with which file.
Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const CertificateFiles& files);

// SHA-256 of the certificate, "AB:CD:…", to compare with what a browser shows.
Result<std::string> certificate_fingerprint(const std::string& file);

}  // namespace tributary::api
