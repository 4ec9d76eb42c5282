#include "connectors/opcua/src/trust.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "net/certificate_x509.hpp"
#include "net/tls.hpp"
#include "net/tls_errors.hpp"

namespace tributary::connectors::opcua {
namespace {

using net::OpensslFree;
using net::X509CrlPointer;
using net::X509Pointer;
using StorePointer = std::unique_ptr<X509_STORE, OpensslFree<X509_STORE_free>>;
using PathPointer = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPointer = std::unique_ptr<STACK_OF(X509), FreeStack>;

constexpr int kFewestBits = 2048;
constexpr int kMostBits = 4096;
constexpr std::size_t kLongestChain = 10;

std::vector<X509Pointer> split(std::string_view chain) {
  std::vector<X509Pointer> list;
  const auto* at = reinterpret_cast<const unsigned char*>(chain.data());
  const auto* const end = at + chain.size();
  while (at < end && list.size() < kLongestChain) {
    X509Pointer next(d2i_X509(nullptr, &at, end - at));
    if (!next) break;
    list.push_back(std::move(next));
  }
  ERR_clear_error();
  return list;
}

std::vector<X509CrlPointer> read_crls(std::string_view pem) {
  std::vector<X509CrlPointer> list;
  const net::BioPointer text = net::open_text(pem);
  while (list.size() < net::kMaxCertificates) {
    X509CrlPointer next(PEM_read_bio_X509_CRL(text.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    list.push_back(std::move(next));
  }
  ERR_clear_error();
  return list;
}

// Where errors of net/tls_errors.hpp point here.
Error here(Error error) {
  error.pointer = error.code == "certificate_wrong_host" ? "/settings/endpointUrl" : "/settings/ca";
  return error;
}

// X509_V_OK, or what is wrong with a path to a trusted certificate.
struct Path {
  int code = X509_V_OK;
  int depth = 0;
  net::Certificate culprit;
};

Path check_path(const std::vector<X509Pointer>& chain, const std::string& ca, UtcTime now) {
  const StorePointer store(X509_STORE_new());
  for (const auto& issuer : net::read_x509(ca)) X509_STORE_add_cert(store.get(), issuer.get());
  const auto revoked = read_crls(ca);
  for (const auto& list : revoked) X509_STORE_add_crl(store.get(), list.get());
  const StackPointer between(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    X509_up_ref(chain[i].get());
    sk_X509_push(between.get(), chain[i].get());
  }
  const PathPointer path(X509_STORE_CTX_new());
  X509_STORE_CTX_init(path.get(), store.get(), chain.front().get(), between.get());
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(path.get());
  // A plant's CA may be an intermediate, or the server's own certificate.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (!revoked.empty()) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK);
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  Path result;
  if (X509_verify_cert(path.get()) == 1) return result;
  result.code = X509_STORE_CTX_get_error(path.get());
  result.depth = X509_STORE_CTX_get_error_depth(path.get());
  X509* const culprit = X509_STORE_CTX_get_current_cert(path.get());
  result.culprit = net::to_certificate(culprit != nullptr ? culprit : chain.front().get());
  ERR_clear_error();
  return result;
}

int check_time(const net::Certificate& certificate, UtcTime now) {
  if (now < certificate.not_before) return X509_V_ERR_CERT_NOT_YET_VALID;
  return now > certificate.not_after ? X509_V_ERR_CERT_HAS_EXPIRED : X509_V_OK;
}

bool stands_for(X509* leaf, const std::string& host) {
  if (host.empty()) return true;
  if (net::is_address(host)) return X509_check_ip_asc(leaf, host.c_str(), 0) == 1;
  return X509_check_host(leaf, host.data(), host.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                         nullptr) == 1;
}

Error refusal(std::string code, const net::Certificate& shown, std::string_view text,
              std::string hint) {
  return {ErrorClass::kTrust, std::move(code),
          fmt::format("The server's certificate {}: {}", text, net::describe(shown)),
          std::move(hint), "/settings/ca"};
}

// What no trust of a person and no issuer can make up for.
std::optional<Error> check_strength(X509* leaf, const net::Certificate& shown) {
  EVP_PKEY* const key = X509_get0_pubkey(leaf);
  const int bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
  int digest = NID_undef;
  X509_get_signature_info(leaf, &digest, nullptr, nullptr, nullptr);
  const bool rsa = key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  const bool weak_digest = digest == NID_sha1 || digest == NID_md5 || digest == NID_undef;
  if (rsa && bits >= kFewestBits && bits <= kMostBits && !weak_digest) return std::nullopt;
  return refusal(
      "certificate_weak", shown,
      rsa ? fmt::format("is too weak ({} bits, {})", bits,
                        digest == NID_undef ? "unknown" : OBJ_nid2sn(digest))
          : std::string("has no RSA key"),
      fmt::format(
          "The security policies want RSA keys of {} to {} bits, signed with SHA-256. Make a new "
          "certificate at the server.",
          kFewestBits, kMostBits));
}

std::optional<Error> check_usage(X509* leaf, const net::Certificate& shown) {
  // What a certificate does not say is allowed.
  const std::uint32_t usage = X509_get_key_usage(leaf);
  const std::uint32_t extended = X509_get_extended_key_usage(leaf);
  const bool signs = (usage & KU_DIGITAL_SIGNATURE) != 0;
  const bool encrypts = (usage & (KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT)) != 0;
  const bool serves = extended == UINT32_MAX || (extended & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0;
  if (signs && encrypts && serves) return std::nullopt;
  return refusal("certificate_wrong_usage", shown, "may not be used for an OPC UA server",
                 "It needs the key usages digitalSignature and keyEncipherment, and serverAuth "
                 "when it limits its extended "
                 "usage. Make a new one at the server.");
}

std::optional<Error> check_names(X509* leaf, const net::Certificate& shown,
                                 const TrustOptions& options) {
  if (!stands_for(leaf, options.host)) {
    return here(
        net::certificate_refused(X509_V_ERR_HOSTNAME_MISMATCH, 0, shown, shown, options.host));
  }
  const std::string uri = application_uri_of(leaf);
  if (uri == options.application_uri) return std::nullopt;
  return refusal(
      "certificate_wrong_application", shown,
      fmt::format("is for the application \"{}\", but the server says that it is \"{}\"", uri,
                  options.application_uri),
      "Make a new certificate at the server, or accept this one if it is the right one.");
}

}  // namespace

std::string application_uri_of(x509_st* certificate) {
  const std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>> list(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
            static_cast<std::size_t>(ASN1_STRING_length(uri))};
  }
  return {};
}

std::string_view leaf_of(std::string_view chain) {
  const auto* at = reinterpret_cast<const unsigned char*>(chain.data());
  const X509Pointer leaf(d2i_X509(nullptr, &at, static_cast<long>(chain.size())));
  ERR_clear_error();
  if (!leaf) return {};
  return chain.substr(
      0, static_cast<std::size_t>(at - reinterpret_cast<const unsigned char*>(chain.data())));
}

net::ShownCertificate judge(std::string_view chain, const TrustOptions& options, UtcTime now) {
  net::ShownCertificate shown;
  const auto certificates = split(chain);
  if (certificates.empty()) {
    shown.refusal = {ErrorClass::kTrust, "certificate_invalid",
                     "The server shows no certificate that can be read",
                     "Make a new certificate at the server.", "/settings/endpointUrl"};
    return shown;
  }
  X509* const leaf = certificates.front().get();
  shown.certificate = net::to_certificate(leaf);
  const auto refuse = [&shown](Error error) {
    shown.refusal = std::move(error);
    return shown;
  };
  if (auto weak = check_strength(leaf, shown.certificate)) return refuse(*std::move(weak));
  const bool accepted = std::ranges::any_of(options.trusted, [leaf](const std::string& pem) {
    const auto known = net::read_x509(pem);
    return !known.empty() && X509_cmp(known.front().get(), leaf) == 0;
  });
  Path path = check_path(certificates, options.ca, now);
  // What its issuer withdrew stays refused, whoever accepted it.
  if (accepted && path.code != X509_V_ERR_CERT_REVOKED)
    path = {check_time(shown.certificate, now), 0, shown.certificate};
  if (path.code != X509_V_OK) {
    return refuse(here(net::certificate_refused(path.code, path.depth, shown.certificate,
                                                path.culprit, options.host)));
  }
  if (!accepted) {
    if (auto wrong = check_names(leaf, shown.certificate, options))
      return refuse(*std::move(wrong));
    if (auto wrong = check_usage(leaf, shown.certificate)) return refuse(*std::move(wrong));
  }
  shown.accepted = true;
  return shown;
}

}  // namespace tributary::connectors::opcua
