#include "net/answering_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <set>
#include <vector>

namespace tributary::net {
namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

}  // namespace

struct AnsweringServer::State {
  State(Executor executor_, Options options_, Greet greet_)
      : executor(executor_), options(options_), greet(std::move(greet_)), acceptor(executor_) {}

  static Task<void> accept(std::shared_ptr<State> self);
  static Task<void> serve(std::shared_ptr<State> self, std::shared_ptr<Socket> socket);

  Executor executor;
  Options options;
  Greet greet;
  Acceptor acceptor;
  std::set<std::shared_ptr<Socket>> clients;
  std::size_t most_clients = 0;
  bool stopped = false;
};

Task<void> AnsweringServer::State::serve(std::shared_ptr<State> self,
                                         std::shared_ptr<Socket> socket) {
  const auto conversation = self->greet();
  std::vector<std::byte> in(2 * self->options.max_request_bytes);
  std::vector<std::byte> out(self->options.max_answer_bytes);
  std::size_t end = 0;
  boost::system::error_code error;
  bool going = true;
  while (going && !self->stopped && end < in.size()) {
    const asio::mutable_buffer room(in.data() + end, in.size() - end);
    const std::size_t count =
        co_await socket->async_read_some(room, asio::redirect_error(use_task, error));
    if (error || self->stopped) break;
    end += count;
    std::size_t begin = 0;
    while (going) {
      const auto rest = std::span<const std::byte>(in).subspan(begin, end - begin);
      const Conversation::Taken taken = conversation->take(rest, out);
      going = !taken.over;
      if (!going || taken.used == 0) break;
      begin += taken.used;
      const asio::const_buffer reply(out.data(), taken.answer);
      co_await asio::async_write(*socket, reply, asio::redirect_error(use_task, error));
      going = !error && !self->stopped;
    }
    std::memmove(in.data(), in.data() + begin, end - begin);
    end -= begin;
  }
  self->clients.erase(socket);
  socket->close(error);
}

Task<void> AnsweringServer::State::accept(std::shared_ptr<State> self) {
  while (!self->stopped) {
    boost::system::error_code error;
    auto socket = std::make_shared<Socket>(self->executor);
    co_await self->acceptor.async_accept(*socket, asio::redirect_error(use_task, error));
    if (self->stopped || error == asio::error::operation_aborted ||
        error == asio::error::bad_descriptor)
      co_return;
    if (error || self->clients.size() >= self->options.max_clients) continue;
    socket->set_option(asio::ip::tcp::no_delay(true), error);
    self->clients.insert(socket);
    self->most_clients = std::max(self->most_clients, self->clients.size());
    spawn(self->executor, serve(self, socket));
  }
}

AnsweringServer::AnsweringServer(Executor executor, Options options, Greet greet)
    : state_(std::make_shared<State>(executor, options, std::move(greet))) {}
AnsweringServer::~AnsweringServer() {
  stop();
}

Result<std::uint16_t> AnsweringServer::start(const std::string& host, std::uint16_t port) {
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

void AnsweringServer::stop() {
  if (std::exchange(state_->stopped, true)) return;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& client : std::exchange(state_->clients, {})) client->close(ignored);
}

std::size_t AnsweringServer::clients() const {
  return state_->clients.size();
}
std::size_t AnsweringServer::most_clients() const {
  return state_->most_clients;
}

}  // namespace tributary::net
