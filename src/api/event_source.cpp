#include <fmt/format.h>

#include "api/channels.hpp"
#include "runtime/event.hpp"

namespace tributary::api {
namespace {

class EventSource final : public EventChannel {
 public:
  explicit EventSource(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}

  Task<bool> send(std::string text, std::string_view event) override {
    // JSON text has no line breaks, so one data line is enough.
    std::string message = fmt::format("event: {}\ndata: {}\n\n", event, text);
    std::string chunk = fmt::format("{:x}\r\n{}\r\n", message.size(), message);
    const bool sent = co_await transport_->write(chunk);
    co_return sent && !closed_;
  }

  Task<std::optional<std::string>> receive() override {
    // Nothing is expected; reading shows that the client has gone.
    std::array<char, 512> buffer{};
    while (true) {
      const std::size_t size = co_await transport_->read(asio::buffer(buffer));
      if (size == 0) co_return std::nullopt;
    }
  }

  Task<bool> keep_alive() override {
    const bool sent = co_await transport_->write("3\r\n:\n\n\r\n");
    co_return sent && !closed_;
  }

  void close(std::uint16_t, std::string) override {
    if (std::exchange(closed_, true)) return;
    transport_->close();
  }

 private:
  std::shared_ptr<Transport> transport_;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<EventChannel> make_event_source(std::shared_ptr<Transport> transport) {
  return std::make_shared<EventSource>(std::move(transport));
}

}  // namespace tributary::api
