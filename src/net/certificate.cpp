#include "net/certificate.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "net/certificate_x509.hpp"

namespace tributary::net {
namespace {

// Names come from strangers: longer ones are cut, control characters are escaped by the printer.
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxNames = 64;
constexpr std::size_t kDateLength = 10;  // "2026-11-22"

std::string take_text(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

BioPointer make_buffer() {
  return BioPointer(BIO_new(BIO_s_mem()));
}

std::string name_text(const X509_NAME* name) {
  const BioPointer buffer = make_buffer();
  const unsigned long flags = XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  X509_NAME_print_ex(buffer.get(), name, 0, flags);
  std::string text = take_text(buffer.get());
  if (text.size() > kMaxName) text.resize(kMaxName);
  return text;
}

std::string address_text(const ASN1_OCTET_STRING& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(&address) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(&address) != 16) return {};
  const char* written =
      ::inet_ntop(family, ASN1_STRING_get0_data(&address), text.data(), text.size());
  return written == nullptr ? std::string() : std::string(written);
}

std::string dns_text(const ASN1_IA5STRING& name) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(&name)),
                   static_cast<std::size_t>(ASN1_STRING_length(&name)));
  if (text.size() > kMaxName) text.resize(kMaxName);
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

std::vector<std::string> names_of(X509* x509) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, NID_subject_alt_name, nullptr, nullptr)));
  if (!list) return names;
  const int count = sk_GENERAL_NAME_num(list.get());
  for (int i = 0; i < count && names.size() < kMaxNames; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    std::string text;
    if (name->type == GEN_DNS) text = dns_text(*name->d.dNSName);
    if (name->type == GEN_IPADD) text = address_text(*name->d.iPAddress);
    if (!text.empty()) names.push_back(std::move(text));
  }
  return names;
}

UtcTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return UtcTime{std::chrono::seconds{::timegm(&parts)}};
}

std::string digest_of(X509* x509) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(x509, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace

BioPointer open_text(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string take_openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "no reason given";
}

Certificate to_certificate(X509* x509) {
  Certificate certificate;
  certificate.subject = name_text(X509_get_subject_name(x509));
  certificate.issuer = name_text(X509_get_issuer_name(x509));
  certificate.names = names_of(x509);
  certificate.not_before = time_of(X509_get0_notBefore(x509));
  certificate.not_after = time_of(X509_get0_notAfter(x509));
  certificate.sha256 = digest_of(x509);
  const BioPointer buffer = make_buffer();
  if (PEM_write_bio_X509(buffer.get(), x509) == 1) certificate.pem = take_text(buffer.get());
  ERR_clear_error();
  return certificate;
}

std::vector<X509Pointer> read_x509(std::string_view pem) {
  std::vector<X509Pointer> list;
  const BioPointer text = open_text(pem);
  while (list.size() < kMaxCertificates) {
    X509Pointer next(PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    list.push_back(std::move(next));
  }
  ERR_clear_error();
  return list;
}

Result<std::vector<Certificate>> read_certificates(std::string_view pem, std::string_view what) {
  std::vector<Certificate> certificates;
  for (const auto& x509 : read_x509(pem)) certificates.push_back(to_certificate(x509.get()));
  if (certificates.empty()) {
    return fail(ErrorClass::kConfiguration, "certificate_invalid",
                fmt::format("{} holds no certificate that can be read", what),
                "It must be PEM text: it begins with -----BEGIN CERTIFICATE-----.");
  }
  return certificates;
}

std::string fingerprint_text(std::string_view sha256) {
  std::string text;
  for (std::size_t i = 0; i < sha256.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(sha256[i])));
  }
  return text;
}

std::string describe(const Certificate& certificate) {
  return fmt::format("{}, issued by {}, valid {} to {}, SHA-256 {}", certificate.subject,
                     certificate.self_signed() ? "itself" : certificate.issuer,
                     format_utc(certificate.not_before).substr(0, kDateLength),
                     format_utc(certificate.not_after).substr(0, kDateLength),
                     fingerprint_text(certificate.sha256));
}

}  // namespace tributary::net
