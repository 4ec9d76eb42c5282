#include "api/transport.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace tributary::api {
namespace {

using boost::system::error_code;

template <typename Socket>
std::string remote_of(const Socket& socket) {
  error_code error;
  auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

template <typename Socket>
class PlainTransport final : public Transport {
 public:
  PlainTransport(Socket socket, bool local, std::string remote)
      : Transport(socket.get_executor(), false, local, std::move(remote)),
        socket_(std::move(socket)) {}

  Task<bool> open() override { co_return true; }
  void read_some(asio::mutable_buffer buffer, Handler handler) override {
    socket_.async_read_some(buffer, std::move(handler));
  }
  void write_some(asio::const_buffer buffer, Handler handler) override {
    socket_.async_write_some(buffer, std::move(handler));
  }
  void cancel() noexcept override {
    error_code ignored;
    socket_.cancel(ignored);
  }
  Task<void> finish() override {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    co_return;
  }
  void close() noexcept override {
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  Socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(TcpSocket socket, asio::ssl::context& context, std::string remote)
      : Transport(socket.get_executor(), true, false, std::move(remote)),
        stream_(std::move(socket), context) {}

  Task<bool> open() override {
    auto [error] =
        co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(use_task));
    co_return !error;
  }
  void read_some(asio::mutable_buffer buffer, Handler handler) override {
    stream_.async_read_some(buffer, std::move(handler));
  }
  void write_some(asio::const_buffer buffer, Handler handler) override {
    stream_.async_write_some(buffer, std::move(handler));
  }
  void cancel() noexcept override {
    error_code ignored;
    stream_.next_layer().cancel(ignored);
  }
  Task<void> finish() override {
    // Sends close_notify and waits for the client's; the caller's deadline bounds that.
    auto [error] = co_await stream_.async_shutdown(asio::as_tuple(use_task));
    static_cast<void>(error);
    error_code ignored;
    stream_.next_layer().shutdown(TcpSocket::shutdown_send, ignored);
  }
  void close() noexcept override {
    error_code ignored;
    stream_.next_layer().close(ignored);
  }

 private:
  asio::ssl::stream<TcpSocket> stream_;
};

}  // namespace

Task<std::size_t> Transport::read(asio::mutable_buffer buffer) {
  auto token = asio::as_tuple(use_task);
  auto [error, size] =
      co_await asio::async_initiate<decltype(token), void(error_code, std::size_t)>(
          [this](auto handler, asio::mutable_buffer target) {
            read_some(target, std::move(handler));
          },
          token, buffer);
  co_return error ? 0 : size;
}

Task<bool> Transport::write(std::string_view data) {
  auto token = asio::as_tuple(use_task);
  while (!data.empty()) {
    asio::const_buffer rest(data.data(), data.size());
    auto [error, size] =
        co_await asio::async_initiate<decltype(token), void(error_code, std::size_t)>(
            [this](auto handler, asio::const_buffer source) {
              write_some(source, std::move(handler));
            },
            token, rest);
    if (error) co_return false;
    data.remove_prefix(size);
  }
  co_return true;
}

std::shared_ptr<Transport> make_tcp_transport(TcpSocket socket) {
  std::string remote = remote_of(socket);
  return std::make_shared<PlainTransport<TcpSocket>>(std::move(socket), false, std::move(remote));
}

std::shared_ptr<Transport> make_tls_transport(TcpSocket socket, asio::ssl::context& context) {
  std::string remote = remote_of(socket);
  return std::make_shared<TlsTransport>(std::move(socket), context, std::move(remote));
}

std::shared_ptr<Transport> make_local_transport(LocalSocket socket) {
  return std::make_shared<PlainTransport<LocalSocket>>(std::move(socket), true, std::string());
}

void Deadline::arm(Duration after) {
  expired_ = false;
  timer_ = timers_.at(transport_.executor(), timers_.now() + after, [this] {
    expired_ = true;
    transport_.cancel();
  });
}

}  // namespace tributary::api
