#include "connectors/s7/simulator/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <set>

#include "connectors/s7/simulator/answers.hpp"

namespace tributary::connectors::s7::simulator {
namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

}  // namespace

// --- memory ---

bool Memory::fits(const Item& item) const {
  return begin_of(item) + size_of(item) <= bytes_.size();
}

std::uint8_t Memory::read(const Item& item, std::span<std::byte> out) const {
  if (!fits(item)) return kOutOfRange;
  const auto from = std::span(bytes_).subspan(begin_of(item), size_of(item));
  if (item.bit >= 0) {
    out[0] = (from[0] >> item.bit) & std::byte{1};
  } else {
    std::ranges::copy(from, out.begin());
  }
  return kItemDone;
}

std::uint8_t Memory::write(const Item& item, std::span<const std::byte> data) {
  if (!fits(item)) return kOutOfRange;
  const auto to = std::span(bytes_).subspan(begin_of(item), size_of(item));
  if (item.bit >= 0) {
    const std::byte mask = std::byte{1} << item.bit;
    to[0] = (to[0] & ~mask) | (data[0] != std::byte{0} ? mask : std::byte{0});
  } else {
    std::ranges::copy(data, to.begin());
  }
  return kItemDone;
}

Memory* PlainDevice::find(const Item& item) {
  const auto found =
      std::ranges::find_if(memories_, [&](const Memory& memory) { return memory.holds(item); });
  return found == memories_.end() ? nullptr : &*found;
}
std::uint8_t PlainDevice::read(const Item& item, std::span<std::byte> out) {
  const Memory* memory = find(item);
  return memory == nullptr ? kNoSuchObject : memory->read(item, out);
}
std::uint8_t PlainDevice::write(const Item& item, std::span<const std::byte> data) {
  Memory* memory = find(item);
  return memory == nullptr ? kNoSuchObject : memory->write(item, data);
}
std::vector<std::uint16_t> PlainDevice::data_blocks() const {
  std::vector<std::uint16_t> numbers;
  for (const Memory& memory : memories_) {
    if (memory.area() == Area::kDataBlocks) numbers.push_back(memory.db());
  }
  return numbers;
}

// --- server ---

struct S7Server::State {
  State(Executor executor_, Device& device_, ServerOptions options_)
      : executor(executor_), device(device_), options(std::move(options_)), acceptor(executor_) {}

  static Task<void> accept(std::shared_ptr<State> self);
  static Task<void> serve(std::shared_ptr<State> self, std::shared_ptr<Socket> socket);
  // Size of the answer in `out`; 0: hang up.
  std::size_t respond(const Frame& frame, std::span<const std::byte> whole, Dialogue& dialogue,
                      Out out);

  Executor executor;
  Device& device;
  ServerOptions options;
  Acceptor acceptor;
  std::set<std::shared_ptr<Socket>> clients;
  std::size_t most_clients = 0;
  std::uint64_t requests = 0;
  bool stopped = false;
};

std::size_t S7Server::State::respond(const Frame& frame, std::span<const std::byte> whole,
                                     Dialogue& dialogue, Out out) {
  if (frame.type == CotpType::kConnectRequest) {
    return clients.size() > options.connections ? 0 : encode_confirm(whole, out);
  }
  Message message;
  if (frame.type != CotpType::kData || !frame.last || !parse_message(frame.payload, message))
    return 0;
  ++requests;
  return answer(message, device, options, dialogue, out);
}

Task<void> S7Server::State::serve(std::shared_ptr<State> self, std::shared_ptr<Socket> socket) {
  std::array<std::byte, 2 * kMaxFrameSize> in;
  std::array<std::byte, kMaxFrameSize> out;
  Dialogue dialogue;
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
      const auto rest = std::span<const std::byte>(in).subspan(begin, end - begin);
      const FrameState state = parse_frame(rest, frame);
      if (state == FrameState::kIncomplete) break;
      going = state == FrameState::kComplete;
      if (!going) break;
      begin += frame.size;
      const std::size_t size = self->respond(frame, rest.first(frame.size), dialogue, out);
      going = size > 0;
      if (!going) break;
      const asio::const_buffer reply(out.data(), size);
      co_await asio::async_write(*socket, reply, asio::redirect_error(use_task, error));
      going = !error && !self->stopped;
    }
    std::memmove(in.data(), in.data() + begin, end - begin);
    end -= begin;
  }
  self->clients.erase(socket);
  socket->close(error);
}

Task<void> S7Server::State::accept(std::shared_ptr<State> self) {
  while (!self->stopped) {
    boost::system::error_code error;
    auto socket = std::make_shared<Socket>(self->executor);
    co_await self->acceptor.async_accept(*socket, asio::redirect_error(use_task, error));
    if (self->stopped || error == asio::error::operation_aborted ||
        error == asio::error::bad_descriptor)
      co_return;
    if (error) continue;
    socket->set_option(asio::ip::tcp::no_delay(true), error);
    self->clients.insert(socket);
    self->most_clients = std::max(self->most_clients, self->clients.size());
    spawn(self->executor, serve(self, socket));
  }
}

S7Server::S7Server(Executor executor, Device& device, ServerOptions options)
    : state_(std::make_shared<State>(executor, device, std::move(options))) {}
S7Server::~S7Server() {
  stop();
}

Result<std::uint16_t> S7Server::start(const std::string& host, std::uint16_t port) {
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

void S7Server::stop() {
  if (std::exchange(state_->stopped, true)) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& client : std::exchange(state_->clients, {})) client->close(ignored);
}

std::size_t S7Server::clients() const {
  return state_->clients.size();
}
std::size_t S7Server::most_clients() const {
  return state_->most_clients;
}
std::uint64_t S7Server::requests() const {
  return state_->requests;
}

}  // namespace tributary::connectors::s7::simulator
