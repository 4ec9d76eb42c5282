#include "net/dial.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>

#include "net/options.hpp"
#include "net/tcp_stream.hpp"

namespace tributary::net {
namespace {

class TcpAttempt final : public Attempt, public std::enable_shared_from_this<TcpAttempt> {
 public:
  TcpAttempt(const Executor& executor, Address address, std::string label)
      : socket_(executor), address_(std::move(address)), label_(std::move(label)) {}

  Task<Result<void>> connect() override { return connect(shared_from_this()); }
  void abort() noexcept override { reset_socket(socket_); }
  TcpSocket& socket() { return socket_; }

 private:
  static Task<Result<void>> connect(std::shared_ptr<TcpAttempt> self) {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(self->address_.ip, error);
    const asio::ip::tcp::endpoint target(ip, self->address_.port);
    if (!error) self->socket_.open(target.protocol(), error);
    if (!error) {
      co_await self->socket_.async_connect(target, asio::redirect_error(use_task, error));
    }
    Result<void> connected = error
                                 ? fail(error_from_errno(error.value(), "connect to", self->label_))
                                 : check_connected(self->socket_.native_handle(), self->label_);
    if (!connected) reset_socket(self->socket_);
    co_return connected;
  }

  TcpSocket socket_;
  Address address_;
  std::string label_;
};

}  // namespace

std::vector<Address> begin_with(std::vector<Address> addresses, std::size_t first) {
  if (addresses.empty()) return addresses;
  const auto middle = static_cast<std::ptrdiff_t>(first % addresses.size());
  std::ranges::rotate(addresses, addresses.begin() + middle);
  return addresses;
}

Task<Result<std::unique_ptr<Stream>>> dial_addresses(Timers& timers, Endpoint endpoint,
                                                     std::vector<Address> addresses,
                                                     Keepalive keepalive, SteadyTime deadline,
                                                     std::shared_ptr<DialCancel> cancel) {
  const Executor executor = co_await asio::this_coro::executor;
  std::vector<std::shared_ptr<TcpAttempt>> dials;
  for (const Address& address : addresses) {
    dials.push_back(std::make_shared<TcpAttempt>(executor, address, label(endpoint, address)));
  }
  std::vector<std::shared_ptr<Attempt>> attempts(dials.begin(), dials.end());
  const Result<std::size_t> winner = co_await race_attempts(
      timers, std::move(endpoint), addresses, std::move(attempts), deadline, std::move(cancel));
  if (!winner) co_return fail(winner.error());
  TcpAttempt& attempt = *dials[*winner];
  const Result<void> applied = apply_keepalive(attempt.socket().native_handle(), keepalive);
  if (!applied) {
    attempt.abort();
    co_return fail(applied.error());
  }
  co_return make_tcp_stream(std::move(attempt.socket()), to_text(addresses[*winner]), timers);
}

}  // namespace tributary::net
