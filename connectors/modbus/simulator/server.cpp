#include "connectors/modbus/simulator/server.hpp"

#include <fmt/format.h>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <set>

namespace tributary::connectors::modbus::simulator {
namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

// More than any test asks for; beyond it a client is turned away like a PLC that has no connection
// left.
constexpr std::size_t kMaxClients = 4096;

}  // namespace

struct ModbusServer::State {
  State(Executor executor_, Device& device_)
      : executor(executor_), responder(device_), acceptor(executor_) {}

  static Task<void> accept(std::shared_ptr<State> self);
  static Task<void> serve(std::shared_ptr<State> self, std::shared_ptr<Socket> socket);
  std::size_t answer(const Frame& frame, std::span<std::byte, kMaxFrameSize> out);

  Executor executor;
  Responder responder;
  Acceptor acceptor;
  std::set<std::shared_ptr<Socket>> clients;
  bool stopped = false;
};

std::size_t ModbusServer::State::answer(const Frame& frame,
                                        std::span<std::byte, kMaxFrameSize> out) {
  const std::size_t size = responder.answer(frame.unit, frame.pdu, out.subspan<kHeaderSize>());
  return put_header(frame.transaction, frame.unit, size, out);
}

Task<void> ModbusServer::State::serve(std::shared_ptr<State> self, std::shared_ptr<Socket> socket) {
  std::array<std::byte, 2 * kMaxFrameSize> in;
  std::array<std::byte, kMaxFrameSize> out;
  std::size_t end = 0;
  boost::system::error_code error;
  bool going = true;
  while (going && !self->stopped) {
    const asio::mutable_buffer room(in.data() + end, in.size() - end);
    const std::size_t count =
        co_await socket->async_read_some(room, asio::redirect_error(use_task, error));
    if (error || self->stopped) break;
    end += count;
    std::size_t begin = 0;
    Frame frame;
    while (going) {
      const FrameState state =
          parse_frame(std::span<const std::byte>(in).subspan(begin, end - begin), frame);
      if (state == FrameState::kIncomplete) break;
      if (state == FrameState::kNotModbus) {
        going = false;
        break;
      }
      begin += frame.size;
      const asio::const_buffer reply(out.data(), self->answer(frame, out));
      co_await asio::async_write(*socket, reply, asio::redirect_error(use_task, error));
      going = !error && !self->stopped;
    }
    std::memmove(in.data(), in.data() + begin, end - begin);
    end -= begin;
  }
  self->clients.erase(socket);
  socket->close(error);
}

Task<void> ModbusServer::State::accept(std::shared_ptr<State> self) {
  while (!self->stopped) {
    boost::system::error_code error;
    auto socket = std::make_shared<Socket>(self->executor);
    co_await self->acceptor.async_accept(*socket, asio::redirect_error(use_task, error));
    if (self->stopped || error == asio::error::operation_aborted ||
        error == asio::error::bad_descriptor)
      co_return;
    if (error || self->clients.size() >= kMaxClients) continue;
    socket->set_option(asio::ip::tcp::no_delay(true), error);
    self->clients.insert(socket);
    spawn(self->executor, serve(self, socket));
  }
}

ModbusServer::ModbusServer(Executor executor, Device& device)
    : state_(std::make_shared<State>(executor, device)) {}
ModbusServer::~ModbusServer() {
  stop();
}

Result<std::uint16_t> ModbusServer::start(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return fail(ErrorClass::kConfiguration, "cannot_listen",
                fmt::format("'{}' is not an address.", host),
                "Give an address of this machine, for example 127.0.0.1.", "/host");
  }
  const asio::ip::tcp::endpoint endpoint(address, port);
  auto& acceptor = state_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    return fail(ErrorClass::kConfiguration, "cannot_listen",
                fmt::format("Cannot listen at {}:{}: {}.", host, port, error.message()),
                "Is another program using this port? Ports below 1024 need a privilege.", "/port");
  }
  const std::uint16_t bound = acceptor.local_endpoint(error).port();
  spawn(state_->executor, State::accept(state_));
  return bound;
}

void ModbusServer::stop() {
  if (std::exchange(state_->stopped, true)) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& client : std::exchange(state_->clients, {})) client->close(ignored);
}

std::size_t ModbusServer::clients() const {
  return state_->clients.size();
}
std::uint64_t ModbusServer::requests() const {
  return state_->responder.requests();
}

}  // namespace tributary::connectors::modbus::simulator
