#include "tests/support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <stdexcept>

#include "net/certificate_x509.hpp"

namespace tributary::test {
namespace {

using net::BioPointer;
using net::KeyPointer;
using net::X509CrlPointer;
using net::X509Pointer;

struct Issuer {
  X509* certificate;
  EVP_PKEY* key;
};

void check(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, net::OpensslFree<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

void set_subject(X509* certificate, const std::string& common_name) {
  X509_NAME* name = X509_get_subject_name(certificate);
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                   -1, 0) == 1,
        "subject");
}

X509Pointer make(const CertificateRequest& request, EVP_PKEY* key, std::optional<Issuer> issuer,
                 bool is_authority) {
  X509Pointer certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  std::int64_t serial = 0;
  check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "random");
  ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), serial & 0x7FFFFFFFFFFFFFFF);
  const std::time_t start = std::time(nullptr) + request.valid_from.count();
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), start + request.valid_for.count());
  X509_set_pubkey(certificate.get(), key);
  set_subject(certificate.get(), request.common_name);
  X509* signer = issuer ? issuer->certificate : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
  add_extension(certificate.get(), signer, NID_basic_constraints,
                is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate.get(), signer, NID_key_usage,
                is_authority ? "critical,keyCertSign,cRLSign" : request.usage);
  std::string names;
  for (const auto& name : request.names) names += (names.empty() ? "" : ",") + name;
  if (!is_authority && !names.empty()) {
    add_extension(certificate.get(), signer, NID_subject_alt_name, names);
  }
  check(X509_sign(certificate.get(), issuer ? issuer->key : key, EVP_sha256()) > 0, "sign");
  return certificate;
}

KeyPointer make_key(const CertificateRequest& request) {
  if (request.rsa_bits == 0) return KeyPointer(EVP_EC_gen("P-256"));
  return KeyPointer(EVP_RSA_gen(static_cast<unsigned>(request.rsa_bits)));
}

template <typename Write>
std::string to_pem(Write write) {
  const BioPointer buffer(BIO_new(BIO_s_mem()));
  check(write(buffer.get()) == 1, "PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(buffer.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

KeyPair to_pair(X509* certificate, EVP_PKEY* key) {
  return {to_pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); }),
          to_pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace

KeyPair self_signed(const CertificateRequest& request) {
  const KeyPointer key = make_key(request);
  const X509Pointer certificate = make(request, key.get(), std::nullopt, false);
  return to_pair(certificate.get(), key.get());
}

struct Authority::Impl {
  KeyPointer key;
  X509Pointer certificate;
  std::string pem;
};

Authority::Authority(const std::string& common_name) : impl_(std::make_unique<Impl>()) {
  impl_->key.reset(EVP_EC_gen("P-256"));
  CertificateRequest request;
  request.common_name = common_name;
  request.valid_from = -std::chrono::hours{24 * 365};
  request.valid_for = std::chrono::hours{24 * 3650};
  impl_->certificate = make(request, impl_->key.get(), std::nullopt, true);
  impl_->pem = to_pair(impl_->certificate.get(), impl_->key.get()).certificate;
}

Authority::~Authority() = default;

const std::string& Authority::certificate() const {
  return impl_->pem;
}

KeyPair Authority::issue(const CertificateRequest& request) const {
  const KeyPointer key = make_key(request);
  const Issuer issuer{impl_->certificate.get(), impl_->key.get()};
  const X509Pointer certificate = make(request, key.get(), issuer, false);
  return to_pair(certificate.get(), key.get());
}

std::string Authority::revoke(const std::string& certificate) const {
  const auto list = net::read_x509(certificate);
  const X509CrlPointer crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), 1);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(impl_->certificate.get()));
  const std::unique_ptr<ASN1_TIME, net::OpensslFree<ASN1_TIME_free>> now(
      ASN1_TIME_set(nullptr, std::time(nullptr) - 60));
  const std::unique_ptr<ASN1_TIME, net::OpensslFree<ASN1_TIME_free>> next(
      ASN1_TIME_set(nullptr, std::time(nullptr) + 24L * 3600));
  X509_CRL_set1_lastUpdate(crl.get(), now.get());
  X509_CRL_set1_nextUpdate(crl.get(), next.get());
  X509_REVOKED* entry = X509_REVOKED_new();
  X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(list.at(0).get()));
  X509_REVOKED_set_revocationDate(entry, now.get());
  X509_CRL_add0_revoked(crl.get(), entry);
  check(X509_CRL_sign(crl.get(), impl_->key.get(), EVP_sha256()) > 0, "sign a list");
  return to_pem([&](BIO* out) { return PEM_write_bio_X509_CRL(out, crl.get()); });
}

}  // namespace tributary::test
