#include "api/server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>

#include "api/certificate.hpp"
#include "runtime/log.hpp"

namespace tributary::api {
namespace {

using boost::system::error_code;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using LocalAcceptor = asio::basic_socket_acceptor<asio::local::stream_protocol, Executor>;

// When the process has no descriptors left, accepting again at once would spin.
constexpr auto kAcceptPause = std::chrono::milliseconds{50};
constexpr auto kShutdownStep = std::chrono::milliseconds{20};

// The control socket is for the user the hub runs as, and for root.
bool is_own_user(LocalSocket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

struct Server::Impl {
  Impl(Services& services_, ServerOptions options_, std::span<const WebAsset> assets)
      : services(services_),
        options(std::move(options_)),
        dispatcher(services_, all_routes(), assets),
        context{dispatcher, services_.runtime, options.limits, active},
        acceptor(services_.runtime.control()),
        control(services_.runtime.control()) {}

  Result<void> bind_tcp();
  Result<void> bind_control();
  Result<void> prepare_tls();
  Task<void> accept_tcp(std::shared_ptr<Impl> self);
  Task<void> accept_control(std::shared_ptr<Impl> self);
  void serve(std::shared_ptr<Impl> self, std::shared_ptr<Transport> transport);
  void close();

  Services& services;
  ServerOptions options;
  Dispatcher dispatcher;
  ActiveConnections active;
  HttpContext context;
  TcpAcceptor acceptor;
  LocalAcceptor control;
  std::string control_path;
  std::shared_ptr<asio::ssl::context> tls;
  std::string fingerprint;
  std::string certificate_file;
  std::uint16_t port = 0;
};

Result<void> Server::Impl::bind_tcp() {
  const std::string where = fmt::format("{}:{}", bracketed(options.host), options.port);
  error_code error;
  asio::io_context resolving;
  asio::ip::tcp::resolver resolver(resolving);
  auto found = resolver.resolve(options.host, std::to_string(options.port),
                                asio::ip::tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fail(
        ErrorClass::kConfiguration, "address_unusable",
        fmt::format("The address {} is not one of this machine: {}.", where, error.message()));
  }
  const asio::ip::tcp::endpoint endpoint = found.begin()->endpoint();
  if (options.tls == TlsMode::kOff && !endpoint.address().is_loopback()) {
    return fail(ErrorClass::kConfiguration, "plain_http_refused",
                fmt::format("Without TLS the hub listens on loopback only, not on {}.", where),
                "Use --tls auto or --tls files, or listen on 127.0.0.1.");
  }
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return fail(ErrorClass::kConfiguration, "port_taken",
                fmt::format("{} is taken by another program.", where),
                "Choose another port with --listen.");
  }
  if (error) {
    return fail(ErrorClass::kConfiguration, "address_unusable",
                fmt::format("The hub cannot listen on {}: {}.", where, error.message()));
  }
  port = acceptor.local_endpoint().port();
  return {};
}

Result<void> Server::Impl::bind_control() {
  control_path = options.data_dir + "/control.sock";
  const auto failed = [this](const std::string& why) {
    return fail(ErrorClass::kInternal, "control_socket_failed",
                fmt::format("The control socket {} cannot be made: {}.", control_path, why));
  };
  if (control_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return failed("the path is too long for a socket; use a data directory with a shorter path");
  }
  // The data directory is ours alone (the store holds its lock), so what lies here is left from an
  // earlier run.
  ::unlink(control_path.c_str());
  error_code error;
  control.open(asio::local::stream_protocol(), error);
  const mode_t before = ::umask(0177);
  if (!error) control.bind(asio::local::stream_protocol::endpoint(control_path), error);
  ::umask(before);
  if (!error) control.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error.message());
  return {};
}

Result<void> Server::Impl::prepare_tls() {
  if (options.tls == TlsMode::kOff) return {};
  CertificateFiles files{options.certificate, options.key};
  if (options.tls == TlsMode::kAuto) {
    auto own = own_certificate(options.data_dir, services.runtime.clock().utc_now());
    TRIBUTARY_TRY(own);
    files = *own;
  }
  auto made = make_tls_context(files);
  TRIBUTARY_TRY(made);
  tls = *made;
  auto print = certificate_fingerprint(files.certificate);
  TRIBUTARY_TRY(print);
  fingerprint = *print;
  certificate_file = files.certificate;
  return {};
}

void Server::Impl::serve(std::shared_ptr<Impl> self, std::shared_ptr<Transport> transport) {
  if (active.stopping() || active.size() >= options.limits.connections) {
    transport->close();
    return;
  }
  spawn(services.runtime.control(),
        [](std::shared_ptr<Impl> impl, std::shared_ptr<Transport> client) -> Task<void> {
          co_await serve_http(impl->context, std::move(client));
        }(std::move(self), std::move(transport)));
}

Task<void> Server::Impl::accept_tcp(std::shared_ptr<Impl> self) {
  while (acceptor.is_open()) {
    TcpSocket socket(services.runtime.control());
    auto [error] = co_await acceptor.async_accept(socket, asio::as_tuple(use_task));
    if (error == asio::error::operation_aborted || !acceptor.is_open()) break;
    if (error) {
      log::warning("api", "A client could not be accepted.", {{"error", error.message()}});
      co_await sleep_until(services.runtime.timers(),
                           services.runtime.timers().now() + kAcceptPause);
      continue;
    }
    error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    serve(self, tls ? make_tls_transport(std::move(socket), *tls)
                    : make_tcp_transport(std::move(socket)));
  }
}

Task<void> Server::Impl::accept_control(std::shared_ptr<Impl> self) {
  while (control.is_open()) {
    LocalSocket socket(services.runtime.control());
    auto [error] = co_await control.async_accept(socket, asio::as_tuple(use_task));
    if (error == asio::error::operation_aborted || !control.is_open()) break;
    if (error) {
      co_await sleep_until(services.runtime.timers(),
                           services.runtime.timers().now() + kAcceptPause);
      continue;
    }
    if (!is_own_user(socket)) {
      log::warning("api", "Another user tried to use the control socket.");
      continue;
    }
    serve(self, make_local_transport(std::move(socket)));
  }
}

void Server::Impl::close() {
  error_code ignored;
  acceptor.close(ignored);
  if (control.is_open()) ::unlink(control_path.c_str());
  control.close(ignored);
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::make(Services& services, ServerOptions options,
                                             std::span<const WebAsset> assets) {
  auto impl = std::make_shared<Impl>(services, std::move(options), assets);
  TRIBUTARY_TRY(impl->bind_tcp());
  TRIBUTARY_TRY(impl->prepare_tls());
  TRIBUTARY_TRY(impl->bind_control());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::start() {
  const Executor executor = impl_->services.runtime.control();
  spawn(executor, impl_->accept_tcp(impl_));
  spawn(executor, impl_->accept_control(impl_));
}

Task<void> Server::shutdown(Duration limit) {
  std::shared_ptr<Impl> impl = impl_;
  Timers& timers = impl->services.runtime.timers();
  const SteadyTime end = timers.now() + limit;
  impl->close();
  impl->active.stop();
  while (impl->active.size() > 0 && timers.now() < end) {
    co_await sleep_until(timers, timers.now() + kShutdownStep);
  }
  impl->active.close_all();
}

std::string Server::url() const {
  return fmt::format("{}://{}:{}", impl_->tls ? "https" : "http", bracketed(impl_->options.host),
                     impl_->port);
}

std::string Server::address() const {
  error_code ignored;
  return impl_->acceptor.local_endpoint(ignored).address().to_string();
}

std::uint16_t Server::port() const {
  return impl_->port;
}

const std::string& Server::certificate_file() const {
  return impl_->certificate_file;
}

std::string Server::fingerprint() const {
  return impl_->fingerprint;
}

}  // namespace tributary::api
