#include "api/certificate.hpp"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl.hpp>
#include <cstdio>

#include "net/certificate_x509.hpp"

namespace tributary::api {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

net::X509Pointer load_certificate(const std::string& path) {
  const File file(std::fopen(path.c_str(), "re"));
  return net::X509Pointer(file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

}  // namespace

Result<CertificateFiles> own_certificate(const std::string& data_dir, UtcTime now) {
  net::SelfSigned request;
  request.names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (const auto host = net::host_name_entry(); !host.empty()) request.names += "," + host;
  request.usage = "critical,digitalSignature";
  request.extended_usage = "serverAuth";
  return net::keep_self_signed(data_dir + "/tls", request, now);
}

Result<std::shared_ptr<asio::ssl::context>> make_tls_context(const CertificateFiles& files) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set1_groups_list(native, "X25519:P-256");
  // A client that does not finish costs little: buffers go back between records.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  const auto invalid = [](const std::string& file, const std::string& reason) {
    return fail(ErrorClass::kConfiguration, "certificate_invalid",
                fmt::format("{} cannot be used for TLS: {}.", file, reason),
                "Give --tls-cert and --tls-key files in PEM form that belong together.");
  };
  boost::system::error_code error;
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return invalid(files.certificate, error.message());
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  if (error) return invalid(files.key, error.message());
  if (SSL_CTX_check_private_key(native) != 1) return invalid(files.key, net::take_openssl_reason());
  return context;
}

Result<std::string> certificate_fingerprint(const std::string& file) {
  const net::X509Pointer certificate = load_certificate(file);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1) {
    return fail(ErrorClass::kConfiguration, "certificate_invalid",
                fmt::format("{} holds no certificate.", file));
  }
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{}{:02X}", i ? ":" : "", digest[i]);
  return text;
}

}  // namespace tributary::api
