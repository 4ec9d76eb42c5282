#include "net/tls.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>

#include "net/certificate_x509.hpp"
#include "net/options.hpp"
#include "net/tls_errors.hpp"

namespace tributary::net {
namespace {

using PathPointer = std::unique_ptr<X509_STORE_CTX, OpensslFree<X509_STORE_CTX_free>>;
using ContextPointer = std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>>;

constexpr const char* kCiphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; 1.3 has only good ones

std::unexpected<Error> unusable(std::string code, std::string message, std::string hint,
                                std::string pointer) {
  return fail(ErrorClass::kConfiguration, std::move(code), std::move(message), std::move(hint),
              std::move(pointer));
}

// A key with a passphrase is refused rather than asked for on the server's terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
  return -1;
}

KeyPointer read_key(const Secret& pem) {
  const BioPointer text = open_text(pem.reveal());
  KeyPointer key(PEM_read_bio_PrivateKey(text.get(), nullptr, &no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

std::vector<X509CrlPointer> read_crls(std::string_view pem) {
  std::vector<X509CrlPointer> list;
  const BioPointer text = open_text(pem);
  while (list.size() < kMaxCertificates) {
    X509CrlPointer next(PEM_read_bio_X509_CRL(text.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    list.push_back(std::move(next));
  }
  ERR_clear_error();
  return list;
}

// What the texts of the options hold.
struct Material {
  std::vector<X509Pointer> issuers;
  std::vector<X509CrlPointer> revoked;
  std::vector<X509Pointer> own;  // the client's certificate, then its chain
  KeyPointer key;
};

Result<void> read_own(const TlsOptions& options, Material& material) {
  const bool has_key = options.client_key && !options.client_key->empty();
  if (options.client_certificate.empty()) {
    if (!has_key) return {};
    return unusable("client_certificate_missing", "There is a client key but no client certificate",
                    "Enter the certificate that belongs to the key, or remove the key.",
                    "/settings/tls/clientCertificate");
  }
  material.own = read_x509(options.client_certificate);
  if (material.own.empty()) {
    return unusable("certificate_invalid", "The client certificate cannot be read",
                    "It must be PEM text: it begins with -----BEGIN CERTIFICATE-----.",
                    "/settings/tls/clientCertificate");
  }
  if (!has_key) {
    return unusable("client_key_missing", "There is a client certificate but no client key",
                    "Enter the private key that belongs to the certificate.", "/secrets/clientKey");
  }
  material.key = read_key(*options.client_key);
  if (!material.key) {
    return unusable("client_key_invalid", "The client key cannot be read",
                    "It must be a private key as PEM text, without a passphrase.",
                    "/secrets/clientKey");
  }
  if (X509_check_private_key(material.own.front().get(), material.key.get()) != 1) {
    ERR_clear_error();
    return unusable("client_key_mismatch",
                    "The client key does not belong to the client certificate",
                    "Enter the two that were made together; the client's own certificate stands "
                    "before its issuers.",
                    "/secrets/clientKey");
  }
  return {};
}

Result<Material> read_material(const TlsOptions& options) {
  Material material;
  if (!options.ca.empty()) {
    material.issuers = read_x509(options.ca);
    material.revoked = read_crls(options.ca);
    if (material.issuers.empty()) {
      return unusable("certificate_invalid", "The CA certificate cannot be read",
                      "It must be PEM text: it begins with -----BEGIN CERTIFICATE-----.",
                      "/settings/tls/ca");
    }
  }
  TRIBUTARY_TRY(read_own(options, material));
  return material;
}

}  // namespace

struct TlsClient::Impl {
  ContextPointer context;  // null: it belongs to a library
  std::string server_name;
  std::vector<X509Pointer> trusted;
  std::time_t now = 0;
  bool verify = true;
  bool sends_certificate = false;

  std::optional<ShownCertificate> shown;
  bool asked = false;  // the server asked for a client's certificate
  int alert = -1;      // fatal, from the server
  // Why OpenSSL gave a handshake up, whoever called it.
  int reason = 0;
  std::string reason_text;
  int error_number = 0;

  static Impl* of(const SSL* ssl) {
    return static_cast<Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }
  bool fill(SSL_CTX* native, Material& material, TlsVersion minimum);
  void set_trust(SSL_CTX* native, Material& material);
  int decide(X509_STORE_CTX* path);
  bool is_trusted(X509* server) const;
  // X509_V_OK, or what is wrong with the time.
  int check_time(X509* server) const;

  static int on_verify(X509_STORE_CTX* path, void* self) {
    return static_cast<Impl*>(self)->decide(path);
  }
  static int on_certificate_asked(SSL* /*ssl*/, void* self) {
    static_cast<Impl*>(self)->asked = true;
    return 1;
  }
  static void on_info(const SSL* ssl, int where, int value);
  // OpenSSL leaves a handshake, perhaps only to wait.
  void note_failure();
};

void TlsClient::Impl::note_failure() {
  const int last = errno;
  const unsigned long queued = ERR_peek_last_error();
  if (queued == 0) {
    const bool waits = last == EAGAIN || last == EINPROGRESS || last == ENOTCONN;
    error_number = waits ? 0 : last;
    return;
  }
  reason = ERR_GET_REASON(queued);
  const char* text = ERR_reason_error_string(queued);
  reason_text = text != nullptr ? text : "no reason given";
}

// A protocol library names the address it dialled, and may have begun the handshake before anybody
// could correct it: so the name is set when the handshake starts, before its first message is made.
void TlsClient::Impl::on_info(const SSL* ssl, int where, int value) {
  Impl* self = of(ssl);
  if (self == nullptr) return;
  if ((where & SSL_CB_HANDSHAKE_START) != 0) {
    const bool named = !self->server_name.empty() && !is_address(self->server_name);
    SSL_set_tlsext_host_name(const_cast<SSL*>(ssl), named ? self->server_name.data() : nullptr);
  }
  if (where == SSL_CB_CONNECT_EXIT && value <= 0) self->note_failure();
  if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL) self->alert = value & 0xFF;
}

bool TlsClient::Impl::is_trusted(X509* server) const {
  return std::ranges::any_of(
      trusted, [server](const X509Pointer& each) { return X509_cmp(each.get(), server) == 0; });
}

int TlsClient::Impl::check_time(X509* server) const {
  std::time_t at = now;
  if (X509_cmp_time(X509_get0_notBefore(server), &at) > 0) return X509_V_ERR_CERT_NOT_YET_VALID;
  if (X509_cmp_time(X509_get0_notAfter(server), &at) < 0) return X509_V_ERR_CERT_HAS_EXPIRED;
  return X509_V_OK;
}

// Called by OpenSSL instead of its own verification, once per handshake, before anything of the
// client's but its hello has left.
int TlsClient::Impl::decide(X509_STORE_CTX* path) {
  X509* server = X509_STORE_CTX_get0_cert(path);
  shown = ShownCertificate{to_certificate(server), true, {}};
  if (!verify) {
    X509_STORE_CTX_set_error(path, X509_V_OK);
    return 1;
  }
  if (X509_verify_cert(path) == 1) return 1;
  int code = X509_STORE_CTX_get_error(path);
  int depth = X509_STORE_CTX_get_error_depth(path);
  X509* culprit = X509_STORE_CTX_get_current_cert(path);
  // What its issuer withdrew stays refused, whoever trusts it.
  if (code != X509_V_ERR_CERT_REVOKED && is_trusted(server)) {
    code = check_time(server);
    depth = 0;
    culprit = server;
  }
  X509_STORE_CTX_set_error(path, code);
  if (code == X509_V_OK) return 1;
  const Certificate named = culprit != nullptr ? to_certificate(culprit) : shown->certificate;
  shown->accepted = false;
  shown->refusal = certificate_refused(code, depth, shown->certificate, named, server_name);
  return 0;
}

void TlsClient::Impl::set_trust(SSL_CTX* native, Material& material) {
  X509_STORE* store = SSL_CTX_get_cert_store(native);
  if (material.issuers.empty()) {
    SSL_CTX_set_default_verify_paths(native);
  }
  for (const auto& issuer : material.issuers) X509_STORE_add_cert(store, issuer.get());
  for (const auto& list : material.revoked) X509_STORE_add_crl(store, list.get());
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(native);
  // A plant's CA may be an intermediate, or the server's own certificate.
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (!material.revoked.empty()) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK);
  X509_VERIFY_PARAM_set_time(rules, now);
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (server_name.empty()) return;
  if (is_address(server_name)) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, server_name.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(rules, server_name.c_str(), server_name.size());
  }
}

bool TlsClient::Impl::fill(SSL_CTX* native, Material& material, TlsVersion minimum) {
  const int lowest = minimum == TlsVersion::k1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
  bool done = SSL_CTX_set_min_proto_version(native, lowest) == 1 &&
              SSL_CTX_set_cipher_list(native, kCiphers) == 1;
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_app_data(native, this);
  SSL_CTX_set_info_callback(native, &on_info);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(native, &on_verify, this);
  SSL_CTX_set_cert_cb(native, &on_certificate_asked, this);
  set_trust(native, material);
  if (!material.own.empty()) {
    done = done && SSL_CTX_use_certificate(native, material.own.front().get()) == 1 &&
           SSL_CTX_use_PrivateKey(native, material.key.get()) == 1;
    for (std::size_t i = 1; i < material.own.size(); ++i) {
      done = done && SSL_CTX_add1_chain_cert(native, material.own[i].get()) == 1;
    }
    sends_certificate = true;
  }
  return done;
}

TlsClient::TlsClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClient::~TlsClient() = default;

Result<void> TlsClient::check(const TlsOptions& options) {
  auto material = read_material(options);
  TRIBUTARY_TRY(material);
  return {};
}

Result<std::shared_ptr<TlsClient::Impl>> TlsClient::prepare(const TlsOptions& options, UtcTime now,
                                                            SSL_CTX* context) {
  auto material = read_material(options);
  TRIBUTARY_TRY(material);
  auto impl = std::make_shared<Impl>();
  impl->server_name = options.server_name;
  impl->verify = options.verify;
  impl->now = std::chrono::system_clock::to_time_t(now);
  for (const std::string& pem : options.trusted) {
    for (auto& x509 : read_x509(pem)) impl->trusted.push_back(std::move(x509));
  }
  if (context == nullptr) {
    impl->context.reset(SSL_CTX_new(TLS_client_method()));
    context = impl->context.get();
  }
  if (context == nullptr || !impl->fill(context, *material, options.minimum)) {
    return fail(ErrorClass::kInternal, "tls_unavailable",
                fmt::format("TLS cannot be set up: {}", take_openssl_reason()));
  }
  return impl;
}

Result<std::unique_ptr<TlsClient>> TlsClient::make(const TlsOptions& options, UtcTime now) {
  auto impl = prepare(options, now, nullptr);
  TRIBUTARY_TRY(impl);
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(*impl)));
}

Result<std::unique_ptr<TlsClient>> TlsClient::make_on(SSL_CTX* context, const TlsOptions& options,
                                                      UtcTime now) {
  // Frees what the context kept when the context itself goes.
  static const int kKept = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr, [](void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
        delete static_cast<std::shared_ptr<Impl>*>(kept);
      });
  auto impl = prepare(options, now, context);
  TRIBUTARY_TRY(impl);
  auto kept = std::make_unique<std::shared_ptr<Impl>>(*impl);
  if (kKept < 0 || SSL_CTX_set_ex_data(context, kKept, kept.get()) != 1) {
    return fail(ErrorClass::kInternal, "tls_unavailable",
                fmt::format("TLS cannot be set up: {}", take_openssl_reason()));
  }
  static_cast<void>(kept.release());
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(*impl)));
}

ssl_ctx_st* TlsClient::context() const {
  return impl_->context.get();
}

const ShownCertificate* TlsClient::shown() const {
  return impl_->shown ? &*impl_->shown : nullptr;
}

std::optional<Error> TlsClient::alert(std::string_view peer) const {
  if (impl_->alert < 0) return std::nullopt;
  return alert_received(impl_->alert, impl_->asked, impl_->sends_certificate, peer);
}

Error TlsClient::broken(std::string_view peer) const {
  if (impl_->shown && !impl_->shown->accepted) return impl_->shown->refusal;
  if (auto said = alert(peer)) return *std::move(said);
  if (impl_->reason != 0) return handshake_failed(impl_->reason, impl_->reason_text, peer);
  // Its alert may be lost when it resets the connection in the same breath.
  if (impl_->asked && !impl_->sends_certificate) {
    return alert_received(TLS13_AD_CERTIFICATE_REQUIRED, true, false, peer);
  }
  Error error = impl_->error_number != 0 ? cut_during_tls(impl_->error_number, peer)
                                         : closed_during_tls(peer);
  if (impl_->asked && error.error_class == ErrorClass::kTransient) {
    error.hint =
        "It closed after it had asked for the client certificate: does it accept this one? Its log "
        "says why.";
  }
  return error;
}

Result<void> TlsClient::judge(const ssl_st* ssl, std::string_view peer) const {
  if (!impl_->shown) {
    X509* server = SSL_get0_peer_certificate(ssl);
    if (server == nullptr || impl_->sends_certificate) {
      return fail(ErrorClass::kTransient, "tls_failed",
                  fmt::format("The TLS handshake with {} was over too soon", peer),
                  "It will be tried again.");
    }
    const PathPointer path(X509_STORE_CTX_new());
    X509_STORE_CTX_init(path.get(), SSL_CTX_get_cert_store(context()), server,
                        SSL_get_peer_cert_chain(ssl));
    X509_STORE_CTX_set_default(path.get(), "ssl_server");
    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(path.get()), SSL_CTX_get0_param(context()));
    impl_->decide(path.get());
  }
  if (impl_->shown->accepted) return {};
  return fail(impl_->shown->refusal);
}

Error TlsClient::failed(const ssl_st* ssl, int result, std::string_view peer) const {
  const int error_number = errno;
  const int kind = SSL_get_error(ssl, result);
  const unsigned long queued = ERR_peek_last_error();
  const std::string text = take_openssl_reason();
  if (impl_->shown && !impl_->shown->accepted) return impl_->shown->refusal;
  if (auto said = alert(peer)) return *std::move(said);
  if (kind == SSL_ERROR_SYSCALL && error_number != 0) {
    return cut_during_tls(error_number, peer);
  }
  if (kind == SSL_ERROR_SYSCALL || kind == SSL_ERROR_ZERO_RETURN) return closed_during_tls(peer);
  return handshake_failed(ERR_GET_REASON(queued), text, peer);
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace tributary::net
