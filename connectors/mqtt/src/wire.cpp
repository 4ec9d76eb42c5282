#include "connectors/mqtt/src/wire.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <mosquitto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "connectors/mqtt/src/errors.hpp"
#include "net/options.hpp"

namespace tributary::connectors::mqtt {
namespace {

using boost::system::error_code;

// Packets handled before the other connections of the executor get their turn.
constexpr int kPacketsPerTurn = 500;

void reset_on_close(int descriptor) noexcept {
  const linger now{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

TcpAttempt::TcpAttempt(const Executor& executor, std::unique_ptr<Client> client_,
                       net::Address address, std::string peer_)
    : client(std::move(client_)),
      descriptor(executor),
      peer(std::move(peer_)),
      address_(std::move(address)) {}

Task<Result<void>> TcpAttempt::connect(std::shared_ptr<TcpAttempt> self) {
  const Result<void> started = self->client->connect(self->address_, self->peer);
  if (!started || self->client->tls_failure()) co_return started;
  const int duplicate = ::fcntl(self->client->descriptor(), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) co_return fail(net::error_from_errno(errno, "connect to", self->peer));
  error_code error;
  self->descriptor.assign(duplicate, error);
  if (error) {
    ::close(duplicate);
    co_return fail(net::error_from_errno(error.value(), "connect to", self->peer));
  }
  co_await self->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                       asio::redirect_error(use_task, error));
  if (error) co_return fail(net::error_from_errno(error.value(), "connect to", self->peer));
  co_return net::check_connected(self->descriptor.native_handle(), self->peer);
}

void TcpAttempt::abort() noexcept {
  if (!descriptor.is_open()) {
    client.reset();
    return;
  }
  reset_on_close(descriptor.native_handle());
  error_code ignored;
  descriptor.close(ignored);
  client->end_silently();
  client.reset();
}

Wire::Wire(const Executor& executor, Timers& timers, WireOwner& owner, TcpAttempt& attempt)
    : executor_(executor),
      timers_(timers),
      owner_(&owner),
      client_(std::move(attempt.client)),
      descriptor_(std::move(attempt.descriptor)),
      peer_(attempt.peer) {}

Wire::~Wire() {
  abort();
}

void Wire::secure() {
  spawn(executor_, handshake(shared_from_this()));
}

// The library would make the handshake inside its first write, and lose the reason when it fails.
Task<void> Wire::handshake(Self self) {
  error_code error;
  while (!self->ended_) {
    SSL* ssl = self->client_->ssl();
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl);
    if (result == 1) {
      if (self->owner_ != nullptr) self->owner_->on_secured();
      co_return;
    }
    const int wanted = SSL_get_error(ssl, result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
      self->lose(self->client_->tls()->failed(ssl, result, self->peer_));
      co_return;
    }
    const auto direction = wanted == SSL_ERROR_WANT_READ ? asio::posix::descriptor_base::wait_read
                                                         : asio::posix::descriptor_base::wait_write;
    co_await self->descriptor_.async_wait(direction, asio::redirect_error(use_task, error));
    if (self->ended_) co_return;
    if (error) {
      self->lose(net::error_from_errno(error.value(), "shake hands with", self->peer_));
      co_return;
    }
  }
}

void Wire::start() {
  spawn(executor_, read_loop(shared_from_this()));
  flush();
}

void Wire::start_keep_alive(Duration keep_alive) {
  spawn(executor_, keep_alive_loop(shared_from_this(), keep_alive));
}

void Wire::flush() {
  if (ended_ || writing_ || !client_->want_write()) return;
  writing_ = true;
  spawn(executor_, write_loop(shared_from_this()));
}

void Wire::resume() {
  if (resumed_) std::exchange(resumed_, nullptr)->set();
}

Task<void> Wire::read_loop(Self self) {
  error_code error;
  while (!self->ended_) {
    co_await self->descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                                          asio::redirect_error(use_task, error));
    if (self->ended_) co_return;
    if (error) {
      self->lose(net::error_from_errno(error.value(), "read from", self->peer_));
      co_return;
    }
    if (!self->may_read()) {
      self->paused_ = true;
      const auto resumed = std::make_shared<Event>(self->executor_);
      self->resumed_ = resumed;
      co_await resumed->wait();
      self->paused_ = false;
      continue;
    }
    if (!self->read_turn()) co_return;
    self->flush();
  }
}

bool Wire::first_byte_is_right() {
  constexpr unsigned char kConnack = 0x20;
  constexpr unsigned char kTlsAlert = 0x15;
  unsigned char byte = 0;
  // Behind a TLS handshake stands who the certificate says.
  if (heard_ || client_->tls() != nullptr ||
      ::recv(descriptor_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 1) {
    return true;
  }
  heard_ = true;
  if (byte == kConnack) return true;
  lose(byte == kTlsAlert ? tls_expected(peer_)
                         : connection_failed(MOSQ_ERR_PROTOCOL, 0, peer_, false));
  return false;
}

bool Wire::read_turn() {
  if (waiting_bytes() > 0) note_received();
  if (!first_byte_is_right()) return false;
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    const Client::Outcome outcome = client_->read();
    if (outcome.result != 0 || !outcome.connected) {
      lose(outcome);
      return false;
    }
    if (outcome.drained || !may_read()) break;
  }
  return true;
}

Task<void> Wire::write_loop(Self self) {
  error_code error;
  while (!self->ended_ && self->client_->want_write()) {
    co_await self->descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                                          asio::redirect_error(use_task, error));
    if (self->ended_) break;
    const Client::Outcome outcome = self->client_->write();
    if (outcome.result == 0 && outcome.connected) continue;
    self->lose(outcome);
    break;
  }
  self->writing_ = false;
  if (self->written_) std::exchange(self->written_, nullptr)->set();
}

std::size_t Wire::waiting_bytes() const {
  int count = 0;
  if (::ioctl(const_cast<Descriptor&>(descriptor_).native_handle(), FIONREAD, &count) != 0)
    return 0;
  return static_cast<std::size_t>(count);
}

void Wire::note_received() {
  asked_at_.reset();
  if (received_) std::exchange(received_, nullptr)->set();
}

// The library sends PINGREQ only from its own keep-alive, which counts whole seconds and gives the
// broker up while we do not read on purpose (back-pressure). So the two bytes are written here,
// between packets.
void Wire::send_ping() {
  static constexpr std::array<unsigned char, 2> kPingreq{0xC0, 0x00};
  if (!asked_at_) asked_at_ = timers_.now();
  // What is queued must go first, and asks for an answer as well.
  if (client_->want_write()) return;
  const ssize_t sent = send_now(kPingreq);
  if (sent == static_cast<ssize_t>(kPingreq.size())) return;
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const int error_number = sent < 0 ? errno : EPIPE;
  // Posted: the owner must not hear of it from inside its own call.
  asio::post(executor_, [self = shared_from_this(), error_number] {
    self->lose(net::error_from_errno(error_number, "write to", self->peer_));
  });
}

ssize_t Wire::send_now(std::span<const unsigned char> bytes) {
  SSL* ssl = client_->ssl();
  if (ssl == nullptr) {
    return ::send(descriptor_.native_handle(), bytes.data(), bytes.size(),
                  MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // A TLS record that was begun must be finished before the library writes the next one. A socket
  // that can take anything takes these few bytes whole; one that cannot holds bytes that ask for a
  // sign of life as well.
  pollfd ready{descriptor_.native_handle(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
    errno = EAGAIN;
    return -1;
  }
  ERR_clear_error();
  const int sent = SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
  if (sent > 0) return sent;
  ERR_clear_error();
  errno = EPIPE;
  return -1;
}

Task<void> Wire::keep_alive_loop(Self self, Duration keep_alive) {
  const Duration half = keep_alive / 2;
  const Duration tick = keep_alive / 8;
  SteadyTime next_ping = self->timers_.now() + half;
  while (!self->ended_) {
    const SteadyTime next_look = self->timers_.now() + tick;
    const auto tick_over = std::make_shared<Event>(self->executor_);
    self->tick_ = tick_over;
    co_await tick_over->wait_until(self->timers_, next_look);
    if (self->ended_) co_return;
    const SteadyTime now = self->timers_.now();
    // While nothing is read on purpose, silence means nothing; the pings go on, so that the broker
    // keeps us.
    if (self->paused_ || self->waiting_bytes() > 0) self->asked_at_.reset();
    if (self->asked_at_ && now - *self->asked_at_ >= half) {
      self->lose(Error(ErrorClass::kTransient, "keep_alive_timeout",
                       fmt::format("{} has not answered for {:.0f} s", self->peer_,
                                   to_seconds(now - *self->asked_at_)),
                       "Is the broker overloaded, or the network path to it down?"));
      co_return;
    }
    if (now < next_ping) continue;
    next_ping = now + half;
    self->send_ping();
  }
}

Task<Result<void>> Wire::ping(SteadyTime deadline) {
  return ping(shared_from_this(), deadline);
}

Task<Result<void>> Wire::ping(Self self, SteadyTime deadline) {
  if (self->ended_) co_return fail(ErrorClass::kCancelled, "cancelled", "The session was ended");
  // Bytes that wait because we do not read are a sign of life, too.
  if (self->paused_) co_return Result<void>{};
  if (!self->received_) self->received_ = std::make_shared<Event>(self->executor_);
  const auto received = self->received_;
  self->send_ping();
  const bool answered = co_await received->wait_until(self->timers_, deadline);
  if (self->loss_) co_return fail(*self->loss_);
  if (self->ended_) co_return fail(ErrorClass::kCancelled, "cancelled", "The session was ended");
  if (answered) co_return Result<void>{};
  co_return fail(ErrorClass::kTransient, "timeout",
                 fmt::format("{} did not answer a PINGREQ in time", self->peer_),
                 "Is the broker overloaded, or the network path to it down?");
}

Task<void> Wire::say_goodbye(SteadyTime deadline) {
  return say_goodbye(shared_from_this(), deadline);
}

Task<void> Wire::say_goodbye(Self self, SteadyTime deadline) {
  if (self->ended_) co_return;
  // The loops must not take the end of the socket for a loss.
  self->owner_ = nullptr;
  self->client_->disconnect();
  if (self->client_->descriptor() >= 0 && self->client_->want_write()) {
    const auto written = std::make_shared<Event>(self->executor_);
    self->written_ = written;
    self->flush();
    co_await written->wait_until(self->timers_, deadline);
  }
  if (std::exchange(self->ended_, true)) co_return;
  // The library has written DISCONNECT and closed its descriptor; closing ours sends FIN.
  self->close();
}

Result<void> Wire::finish(const Client::Sent& sent, std::string_view what) {
  if (sent.result == MOSQ_ERR_SUCCESS) {
    flush();
    return {};
  }
  if (!is_connection_failure(sent.result)) return fail(call_failed(sent.result, what));
  Error error = connection_failed(sent.result, sent.error_number, peer_, logged_in_);
  asio::post(executor_, [self = shared_from_this(), error] { self->lose(error); });
  return fail(std::move(error));
}

void Wire::lose(const Client::Outcome& outcome) {
  if (const auto reason = client_->disconnect_reason()) {
    lose(disconnected_by_broker(*reason, peer_));
    return;
  }
  if (client_->tls() != nullptr) {
    if (auto alert = client_->tls()->alert(peer_)) {
      lose(*std::move(alert));
      return;
    }
  }
  const int result = outcome.result == 0 ? static_cast<int>(MOSQ_ERR_CONN_LOST) : outcome.result;
  lose(connection_failed(result, outcome.error_number, peer_, logged_in_));
}

void Wire::lose(Error error) {
  if (std::exchange(ended_, true)) return;
  loss_ = error;
  close();
  if (auto* owner = std::exchange(owner_, nullptr)) owner->on_lost(std::move(error));
}

void Wire::close() noexcept {
  error_code ignored;
  descriptor_.close(ignored);
  resume();
  for (auto* event : {&received_, &written_, &tick_}) {
    if (*event) std::exchange(*event, nullptr)->set();
  }
}

void Wire::abort() noexcept {
  owner_ = nullptr;
  if (!std::exchange(ended_, true)) {
    reset_on_close(descriptor_.native_handle());
    close();
    if (client_) client_->end_silently();
  }
  client_.reset();
}

}  // namespace tributary::connectors::mqtt
