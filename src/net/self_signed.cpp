#include "net/self_signed.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "net/certificate_x509.hpp"

namespace tributary::net {
namespace {

constexpr long kRenewBeforeDays = 30;
constexpr long kDaySeconds = 24L * 60 * 60;

using Extension = std::unique_ptr<X509_EXTENSION, OpensslFree<X509_EXTENSION_free>>;
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

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

X509Pointer make_certificate(EVP_PKEY* key, const SelfSigned& request, UtcTime now) {
  X509Pointer certificate(X509_new());
  unsigned char serial[16];
  if (!certificate || RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  serial[0] &= 0x7f;  // positive (RFC 5280, 4.1.2.2)
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  const std::time_t start = std::chrono::system_clock::to_time_t(now) - 60 * 60;
  X509_set_version(certificate.get(), 2);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), start + request.days * kDaySeconds);
  X509_set_pubkey(certificate.get(), key);

  const std::string host = host_name();
  const std::string common = "Tributary on " + (is_plain_name(host) ? host : "this machine");
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  const bool complete =
      add_extension(certificate.get(), NID_subject_alt_name, request.names) &&
      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate.get(), NID_key_usage, request.usage) &&
      add_extension(certificate.get(), NID_ext_key_usage, request.extended_usage) &&
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
                fmt::format("{} cannot be written: {}.", path, take_openssl_reason()));
  }
  return {};
}

X509Pointer load_certificate(const std::string& path) {
  File file(std::fopen(path.c_str(), "re"));
  return X509Pointer(file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

bool is_usable(const CertificateFiles& files, UtcTime now) {
  const X509Pointer certificate = load_certificate(files.certificate);
  if (!certificate || ::access(files.key.c_str(), R_OK) != 0) return false;
  std::time_t limit = std::chrono::system_clock::to_time_t(now) + kRenewBeforeDays * kDaySeconds;
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &limit) > 0;
}

}  // namespace

std::string host_name_entry() {
  const std::string host = host_name();
  return is_plain_name(host) && host != "localhost" ? "DNS:" + host : std::string();
}

Result<CertificateFiles> keep_self_signed(const std::string& folder, const SelfSigned& request,
                                          UtcTime now) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(ErrorClass::kInternal, "data_dir_unwritable",
                fmt::format("{} cannot be made: {}.", folder, std::strerror(errno)));
  }
  CertificateFiles files{folder + "/certificate.pem", folder + "/key.pem"};
  if (is_usable(files, now)) return files;
  const KeyPointer key(request.rsa_bits == 0
                           ? EVP_EC_gen("P-256")
                           : EVP_RSA_gen(static_cast<unsigned>(request.rsa_bits)));
  const X509Pointer certificate = key ? make_certificate(key.get(), request, now) : nullptr;
  if (!certificate) {
    return fail(ErrorClass::kInternal, "certificate_failed",
                fmt::format("A certificate cannot be made: {}.", take_openssl_reason()));
  }
  TRIBUTARY_TRY(write_private(files.key, [&key](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }));
  TRIBUTARY_TRY(write_private(files.certificate, [&certificate](std::FILE* file) {
    return PEM_write_X509(file, certificate.get());
  }));
  return files;
}

}  // namespace tributary::net
