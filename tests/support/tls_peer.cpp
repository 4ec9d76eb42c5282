#include "tests/support/tls_peer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "net/certificate_x509.hpp"
#include "tests/support/sockets.hpp"

#include <openssl/pem.h>

namespace tributary::test {

struct TlsPeer::Impl {
  TlsPeerOptions options;
  std::unique_ptr<SSL_CTX, net::OpensslFree<SSL_CTX_free>> context;
  std::uint16_t port = 0;
  Descriptor listener;
  Descriptor stop = make_wake();
  std::atomic<std::size_t> accepted{0};
  std::atomic<std::size_t> ended{0};
  std::atomic<std::size_t> handshakes{0};
  std::atomic<std::size_t> bytes{0};
  mutable std::mutex mutex;
  std::string server_name;
  std::thread thread;

  void set_up();
  void run();
  void serve(int descriptor);
};

void TlsPeer::Impl::set_up() {
  context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* native = context.get();
  const auto certificates = net::read_x509(options.identity.certificate);
  const net::BioPointer text = net::open_text(options.identity.key);
  const net::KeyPointer key(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  if (certificates.empty() || SSL_CTX_use_certificate(native, certificates[0].get()) != 1 ||
      SSL_CTX_use_PrivateKey(native, key.get()) != 1) {
    throw std::runtime_error("the peer's certificate cannot be used");
  }
  SSL_CTX_set_security_level(native, 0);
  if (options.newest != 0) SSL_CTX_set_max_proto_version(native, options.newest);
  if (options.oldest != 0) SSL_CTX_set_min_proto_version(native, options.oldest);
  if (options.client_ca.empty()) return;
  for (const auto& authority : net::read_x509(options.client_ca)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(native), authority.get());
  }
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

void TlsPeer::Impl::run() {
  using namespace std::chrono_literals;
  while (wait_ready(listener.get(), stop, 60s) == Ready::kReadable) {
    const Descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection.valid()) continue;
    ++accepted;
    serve(connection.get());
    ++ended;
  }
}

void TlsPeer::Impl::serve(int descriptor) {
  using namespace std::chrono_literals;
  constexpr timeval kPatience{10, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  const std::unique_ptr<SSL, net::OpensslFree<SSL_free>> ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), descriptor);
  const bool done = SSL_accept(ssl.get()) == 1;
  if (const char* name = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name)) {
    const std::scoped_lock lock(mutex);
    server_name = name;
  }
  if (done) ++handshakes;
  std::array<char, 4096> buffer{};
  bool answered = false;
  while (done) {
    const bool waiting = SSL_pending(ssl.get()) > 0;
    if (!waiting && wait_ready(descriptor, stop, 60s) == Ready::kWoken) break;
    const int size = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) break;
    bytes += static_cast<std::size_t>(size);
    if (!std::exchange(answered, true) && !options.answer.empty()) {
      SSL_write(ssl.get(), options.answer.data(), static_cast<int>(options.answer.size()));
    }
  }
  ERR_clear_error();
  if (done) return;
  // A close with something unread would be a reset, and might overtake the alert that says why.
  ::shutdown(descriptor, SHUT_WR);
  while (wait_ready(descriptor, stop, 5s) == Ready::kReadable &&
         ::recv(descriptor, buffer.data(), buffer.size(), 0) > 0) {
  }
}

TlsPeer::TlsPeer(TlsPeerOptions options) : impl_(std::make_unique<Impl>()) {
  // OpenSSL writes to sockets whose other side may be gone.
  std::signal(SIGPIPE, SIG_IGN);
  impl_->options = std::move(options);
  impl_->set_up();
  impl_->listener = listen_loopback(impl_->port);
  impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

TlsPeer::~TlsPeer() {
  wake(impl_->stop);
  impl_->thread.join();
}

std::uint16_t TlsPeer::port() const {
  return impl_->port;
}
std::size_t TlsPeer::accepted() const {
  return impl_->accepted;
}
std::size_t TlsPeer::handshakes() const {
  return impl_->handshakes;
}
std::size_t TlsPeer::application_bytes() const {
  return impl_->bytes;
}
std::string TlsPeer::server_name() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->server_name;
}
bool TlsPeer::idle() const {
  return impl_->accepted == impl_->ended;
}

}  // namespace tributary::test
