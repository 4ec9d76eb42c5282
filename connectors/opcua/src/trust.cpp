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

bool is_one_of(const std::vector<X509Pointer>& list, X509* certificate) {
  return std::ranges::any_of(
      list, [&](const X509Pointer& each) { return X509_cmp(each.get(), certificate) == 0; });
}

bool is_its_own_issuer(X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

bool has_signed(X509* issuer, X509* certificate) {
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  return key != nullptr && X509_verify(certificate, key) == 1;
}

// From the server's own certificate to one that is trusted, or to one that is its own issuer.
struct Chain {
  std::vector<X509*> links;  // of what was shown and what is trusted
  bool complete = false;
  bool trusted = false;  // the last one is

  // Null: the last one.
  X509* issuer_of(std::size_t index) const {
    return index + 1 < links.size() ? links[index + 1] : nullptr;
  }
};

// Of an issuer that has got a new key there may be two certificates with one name.
X509* find_issuer(X509* certificate, const std::vector<X509Pointer>& trusted,
                  const std::vector<X509Pointer>& shown) {
  X509* best = nullptr;
  for (const auto* list : {&trusted, &shown}) {
    for (const X509Pointer& each : *list) {
      if (X509_check_issued(each.get(), certificate) != X509_V_OK) continue;
      if (has_signed(each.get(), certificate)) return each.get();
      if (best == nullptr) best = each.get();
    }
  }
  return best;
}

Chain build_chain(const std::vector<X509Pointer>& shown, const std::vector<X509Pointer>& trusted) {
  Chain chain;
  for (X509* at = shown.front().get(); at != nullptr && chain.links.size() < kLongestChain;
       at = find_issuer(at, trusted, shown)) {
    chain.links.push_back(at);
    chain.trusted = is_one_of(trusted, at);
    chain.complete = chain.trusted || is_its_own_issuer(at);
    if (chain.complete) break;
  }
  ERR_clear_error();
  return chain;
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

std::optional<Error> check_signatures(const Chain& chain, const net::Certificate& shown) {
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    const bool last = i + 1 == chain.links.size();
    if (last && chain.trusted) break;
    X509* const issuer = last ? chain.links[i] : chain.links[i + 1];
    if (has_signed(issuer, chain.links[i])) continue;
    ERR_clear_error();
    return refusal("certificate_signature_invalid", shown,
                   i == 0 ? "does not bear its issuer's signature"
                          : "comes from an issuer whose own certificate is forged",
                   "It was changed on its way or badly made: do not trust it. Make a new one at "
                   "the server.");
  }
  return std::nullopt;
}

bool is_weakly_signed(X509* certificate) {
  int digest = NID_undef;
  X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr);
  return digest == NID_sha1 || digest == NID_md5 || digest == NID_undef;
}

// What no trust of a person and no issuer can make up for. Trusted issuers are not judged: nothing
// rests on their own signature.
std::optional<Error> check_strength(const Chain& chain, const net::Certificate& shown) {
  EVP_PKEY* const key = X509_get0_pubkey(chain.links.front());
  const int bits = key != nullptr ? EVP_PKEY_get_bits(key) : 0;
  const bool rsa = key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  const std::size_t judged = chain.links.size() - (chain.trusted && chain.links.size() > 1 ? 1 : 0);
  const bool weakly_signed =
      std::any_of(chain.links.begin(), chain.links.begin() + static_cast<std::ptrdiff_t>(judged),
                  &is_weakly_signed);
  if (rsa && bits >= kFewestBits && bits <= kMostBits && !weakly_signed) return std::nullopt;
  std::string text = "has no RSA key";
  if (rsa)
    text = weakly_signed ? "is signed with SHA-1 or weaker"
                         : fmt::format("has a key of {} bits", bits);
  return refusal(
      "certificate_weak", shown, text,
      fmt::format(
          "The security policies want RSA keys of {} to {} bits, signed with SHA-256. Make a new "
          "certificate at the server.",
          kFewestBits, kMostBits));
}

std::optional<Error> check_times(const Chain& chain, const net::Certificate& shown,
                                 const TrustOptions& options, UtcTime now) {
  for (std::size_t i = 0; i < chain.links.size(); ++i) {
    const net::Certificate culprit = net::to_certificate(chain.links[i]);
    const int code = check_time(culprit, now);
    if (code == X509_V_OK) continue;
    return here(net::certificate_refused(code, static_cast<int>(i), shown, culprit, options.host));
  }
  return std::nullopt;
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

// Whether each issuer may issue what it has issued, and all else that a path needs (RFC 5280).
std::optional<Error> check_issuers(const Chain& chain, const net::Certificate& shown, UtcTime now) {
  const StorePointer store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), chain.links.back());
  const StackPointer between(sk_X509_new_null());
  for (X509* each : chain.links) {
    X509_up_ref(each);
    sk_X509_push(between.get(), each);
  }
  const PathPointer path(X509_STORE_CTX_new());
  X509_STORE_CTX_init(path.get(), store.get(), chain.links.front(), between.get());
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(path.get());
  // A plant's CA may be an intermediate, or the server's own certificate.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  const bool good = X509_verify_cert(path.get()) == 1;
  const int code = X509_STORE_CTX_get_error(path.get());
  ERR_clear_error();
  if (good) return std::nullopt;
  return refusal("certificate_wrong_usage", shown,
                 fmt::format("comes from an issuer that may not issue it ({})",
                             X509_verify_cert_error_string(code)),
                 "Its issuers need the basic constraint CA and the key usage keyCertSign. Make new "
                 "certificates.");
}

bool is_out_of_date(const X509_CRL* list, UtcTime now) {
  const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list);
  std::time_t at = std::chrono::system_clock::to_time_t(now);
  return next != nullptr && X509_cmp_time(next, &at) < 0;
}

enum class Revocation : std::uint8_t { kNone, kUnknown, kOutOfDate, kRevoked };

// What the lists say about one certificate.
Revocation look_up(X509* certificate, X509* issuer, const std::vector<X509CrlPointer>& lists,
                   UtcTime now) {
  Revocation said = Revocation::kUnknown;
  for (const X509CrlPointer& list : lists) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(issuer)) != 0 ||
        X509_CRL_verify(list.get(), X509_get0_pubkey(issuer)) != 1)
      continue;
    X509_REVOKED* entry = nullptr;
    if (X509_CRL_get0_by_cert(list.get(), &entry, certificate) == 1) return Revocation::kRevoked;
    if (!is_out_of_date(list.get(), now)) {
      said = Revocation::kNone;
    } else if (said == Revocation::kUnknown) {
      said = Revocation::kOutOfDate;
    }
  }
  ERR_clear_error();
  return said;
}

// Who enters lists of revoked certificates wants them to be there for what servers show, and up to
// date. `known_only`: nobody asks for a list, but what is revoked is.
std::optional<Error> check_revocation(const Chain& chain, const net::Certificate& shown,
                                      const TrustOptions& options, bool known_only, UtcTime now) {
  const auto lists = read_crls(options.ca);
  for (std::size_t i = 0; !lists.empty() && i < chain.links.size(); ++i) {
    X509* const issuer = chain.issuer_of(i);
    if (issuer == nullptr) break;
    const Revocation said = look_up(chain.links[i], issuer, lists, now);
    if (said == Revocation::kRevoked) {
      return here(net::certificate_refused(X509_V_ERR_CERT_REVOKED, static_cast<int>(i), shown,
                                           net::to_certificate(chain.links[i]), options.host));
    }
    if (said == Revocation::kNone || known_only || i > 0) continue;
    const bool old = said == Revocation::kOutOfDate;
    return refusal("certificate_revocation_unknown", shown,
                   fmt::format("cannot be checked: its issuer's list of revoked certificates is {}",
                               old ? "out of date" : "missing"),
                   old ? "Replace the list (CRL) among the trusted certificates by the newest one."
                       : "Add the issuer's list (CRL) to the trusted certificates, or leave all "
                         "lists out.");
  }
  return std::nullopt;
}

std::optional<Error> check_chain(const Chain& chain, const net::Certificate& shown) {
  if (chain.complete) return std::nullopt;
  return refusal("certificate_chain_incomplete", shown, "comes from an issuer that is not known",
                 "Enter the certificate of its issuer (CA), or compare the fingerprint with the "
                 "server's and trust this certificate.");
}

std::optional<Error> check_trust(const Chain& chain, const net::Certificate& shown,
                                 const TrustOptions& options) {
  if (chain.trusted) return std::nullopt;
  const int depth = static_cast<int>(chain.links.size()) - 1;
  const int code =
      depth == 0 ? X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT : X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
  return here(net::certificate_refused(code, depth, shown, net::to_certificate(chain.links.back()),
                                       options.host));
}

// The first thing that is wrong, in the order of OPC 10000-4, 6.1.3. What a person accepted needs
// no issuer and no names; what its issuer withdrew stays refused, whoever accepted it.
std::optional<Error> first_fault(const Chain& chain, const net::Certificate& shown,
                                 const TrustOptions& options, bool accepted, UtcTime now) {
  X509* const leaf = chain.links.front();
  if (accepted) {
    if (auto weak = check_strength({{leaf}, true, false}, shown)) return weak;
    if (auto wrong = check_times({{leaf}, true, true}, shown, options, now)) return wrong;
    return check_revocation(chain, shown, options, true, now);
  }
  if (auto wrong = check_chain(chain, shown)) return wrong;
  if (auto wrong = check_signatures(chain, shown)) return wrong;
  if (auto weak = check_strength(chain, shown)) return weak;
  if (auto wrong = check_trust(chain, shown, options)) return wrong;
  if (auto wrong = check_times(chain, shown, options, now)) return wrong;
  if (auto wrong = check_names(leaf, shown, options)) return wrong;
  if (auto wrong = check_usage(leaf, shown)) return wrong;
  if (auto wrong = check_issuers(chain, shown, now)) return wrong;
  return check_revocation(chain, shown, options, false, now);
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
  const bool accepted = std::ranges::any_of(options.trusted, [leaf](const std::string& pem) {
    const auto known = net::read_x509(pem);
    return !known.empty() && X509_cmp(known.front().get(), leaf) == 0;
  });
  const auto trusted = net::read_x509(options.ca);
  const Chain path = build_chain(certificates, trusted);
  auto fault = first_fault(path, shown.certificate, options, accepted, now);
  shown.accepted = !fault;
  if (fault) shown.refusal = *std::move(fault);
  return shown;
}

}  // namespace tributary::connectors::opcua
