#include "api/certificate.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace tributary::api {
namespace {

constexpr long kDays = 825;
constexpr long kRenewBeforeDays = 30;
constexpr long kDaySeconds = 24L * 60 * 60;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return reason ? reason : "no reason given";
}

std::string host_name() {
  char name[256]{};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

// Names with anything but letters, digits, dots and hyphens stay out of the certificate's text form
// of extensions.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-';
  });
}

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Certificate make_certificate(EVP_PKEY* key, UtcTime now) {
  Certificate certificate(X509_new());
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  serial[0] &= 0x7f;  // positive (RFC 5280, 4.1.2.2)
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  const std::time_t start = std::chrono::system_clock::to_time_t(now) - 60 * 60;
  X509_set_version(certificate.get(), 2);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), start + kDays * kDaySeconds);
  X509_set_pubkey(certificate.get(), key);

  const std::string host = host_name();
  const std::string common = "Tributary on " + (is_plain_name(host) ? host : "this machine");
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (is_plain_name(host) && host != "localhost") names += ",DNS:" + host;
  const bool complete =
      add_extension(certificate.get(), NID_subject_alt_name, names) &&
      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
      X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  return complete ? std::move(certificate) : nullptr;
}

// A new file that only we can read, put in place at once.
template <typename Write>
Result<void> write_private(const std::string& path, Write write) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(ErrorClass::kInternal, "data_dir_unwritable",
                fmt::format("{} cannot be written: {}.", path, std::strerror(errno)));
  }
  File file(::fdopen(descriptor, "w"));
  const bool written =
      write(file.get()) == 1 && std::fflush(file.get()) == 0 && ::fsync(descriptor) == 0;
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    return fail(ErrorClass::kInternal, "certificate_failed",
                fmt::format("{} cannot be written: {}.", path, openssl_reason()));
  }
  return {};
}

Certificate load_certificate(const std::string& path) {
  File file(std::fopen(path.c_str(), "re"));
  return Certificate(file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

bool is_usable(const CertificateFiles& files, UtcTime now) {
  Certificate certificate = load_certificate(files.certificate);
  if (!certificate || ::access(files.key.c_str(), R_OK) != 0) return false;
  std::time_t limit = std::chrono::system_clock::to_time_t(now) + kRenewBeforeDays * kDaySeconds;
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &limit) > 0;
}

}  // namespace

Result<CertificateFiles> own_certificate(const std::string& data_dir, UtcTime now) {
  const std::string folder = data_dir + "/tls";
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorClass::kInternal, "data_dir_unwritable",
                fmt::format("{} cannot be made: {}.", folder, std::strerror(errno)));
  }
  CertificateFiles files{folder + "/certificate.pem", folder + "/key.pem"};
  if (is_usable(files, now)) return files;
  Key key(EVP_EC_gen("P-256"));
  Certificate certificate = key ? make_certificate(key.get(), now) : nullptr;
  if (!certificate) {
    return fail(ErrorClass::kInternal, "certificate_failed",
                fmt::format("A TLS certificate cannot be made: {}.", openssl_reason()));
  }
  TRIBUTARY_TRY(write_private(files.key, [&key](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  TRIBUTARY_TRY(write_private(files.certificate, [&certificate](std::FILE* file) {
    return PEM_write_X509(file, certificate.get());
  }));
  return files;
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
  if (SSL_CTX_check_private_key(native) != 1) return invalid(files.key, openssl_reason());
  return context;
}

Result<std::string> certificate_fingerprint(const std::string& file) {
  Certificate certificate = load_certificate(file);
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
