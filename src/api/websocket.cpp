#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "api/channels.hpp"

namespace tributary::api {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

constexpr auto kHandshake = std::chrono::seconds{10};
constexpr auto kSilence = std::chrono::seconds{20};
// A client that does not answer the goodbye, or does not take what was sent before, is cut off.
constexpr auto kGoodbye = std::chrono::seconds{2};

// What Beast needs to run over a Transport.
class TransportStream {
 public:
  using executor_type = Executor;

  explicit TransportStream(std::shared_ptr<Transport> transport)
      : transport_(std::move(transport)) {}
  executor_type get_executor() const noexcept { return transport_->executor(); }
  void close() noexcept { transport_->close(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, Transport* transport, asio::mutable_buffer buffer) {
          transport->read_some(buffer, std::move(handler));
        },
        token, transport_.get(), first<asio::mutable_buffer>(buffers));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, Transport* transport, asio::const_buffer buffer) {
          transport->write_some(buffer, std::move(handler));
        },
        token, transport_.get(), first<asio::const_buffer>(buffers));
  }

 private:
  // A stream may write less than it is given: one buffer at a time is enough.
  template <typename Buffer, typename Buffers>
  static Buffer first(const Buffers& buffers) {
    for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
         ++it) {
      Buffer buffer(*it);
      if (buffer.size() > 0) return buffer;
    }
    return {};
  }
  std::shared_ptr<Transport> transport_;
};

// Found by Beast through the type of their argument.
[[maybe_unused]] void teardown(beast::role_type, TransportStream& stream, error_code& error) {
  stream.close();
  error = {};
}
template <typename Handler>
void async_teardown(beast::role_type, TransportStream& stream, Handler&& handler) {
  stream.close();
  asio::post(stream.get_executor(),
             beast::bind_front_handler(std::forward<Handler>(handler), error_code{}));
}
void beast_close_socket(TransportStream& stream) {
  stream.close();
}

class WebSocketChannel final : public EventChannel,
                               public std::enable_shared_from_this<WebSocketChannel> {
 public:
  explicit WebSocketChannel(std::shared_ptr<Transport> transport)
      : goodbye_(transport->executor()), socket_(TransportStream(std::move(transport))) {}

  Task<bool> accept(std::string head, const Pairs& headers, std::size_t message_bytes) {
    websocket::stream_base::timeout timeout{kHandshake, kSilence, true};
    socket_.set_option(timeout);
    socket_.set_option(
        websocket::stream_base::decorator([headers](websocket::response_type& response) {
          for (const auto& [name, value] : headers) response.insert(name, value);
        }));
    socket_.read_message_max(message_bytes);
    socket_.text(true);
    auto [error] = co_await socket_.async_accept(asio::buffer(head), asio::as_tuple(use_task));
    co_return !error;
  }

  Task<bool> send(std::string text, std::string_view) override {
    if (closing_) co_return false;
    auto [error, size] = co_await socket_.async_write(asio::buffer(text), asio::as_tuple(use_task));
    co_return !error;
  }

  Task<std::optional<std::string>> receive() override {
    buffer_.clear();
    auto [error, size] = co_await socket_.async_read(buffer_, asio::as_tuple(use_task));
    if (error) co_return std::nullopt;
    co_return beast::buffers_to_string(buffer_.data());
  }

  Task<bool> keep_alive() override { co_return !closing_; }  // Beast pings by itself

  void close(std::uint16_t code, std::string reason) override {
    if (closing_) return;
    closing_ = true;
    goodbye_.expires_after(kGoodbye);
    goodbye_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->socket_.next_layer().close();
    });
    socket_.async_close(websocket::close_reason(static_cast<websocket::close_code>(code), reason),
                        [self = shared_from_this()](error_code) { self->goodbye_.cancel(); });
  }

 private:
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      goodbye_;
  websocket::stream<TransportStream, false> socket_;
  beast::flat_buffer buffer_;
  bool closing_ = false;
};

}  // namespace

Task<std::shared_ptr<EventChannel>> accept_websocket(std::shared_ptr<Transport> transport,
                                                     const Request& request, const Pairs& headers,
                                                     std::string already_read,
                                                     std::size_t message_bytes) {
  // Beast reads the upgrade request itself; it gets the head again as it was.
  std::string head = "GET / HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) head += name + ": " + value + "\r\n";
  head += "\r\n" + already_read;
  auto channel = std::make_shared<WebSocketChannel>(std::move(transport));
  const bool accepted = co_await channel->accept(std::move(head), headers, message_bytes);
  if (!accepted) co_return nullptr;
  co_return channel;
}

}  // namespace tributary::api
