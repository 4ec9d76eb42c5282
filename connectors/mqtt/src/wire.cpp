#include "connectors/mqtt/src/wire.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>
#include <climits>

#include "connectors/mqtt/src/errors.hpp"
#include "net/options.hpp"

namespace tributary::connectors::mqtt {
namespace {

using boost::system::error_code;

// One read, and so what is handled before the other connections of the executor get their turn.
constexpr std::size_t kReadBytes = 64U << 10;
// Memory that the rest of a packet may keep when it is empty.
constexpr std::size_t kKeptInput = 16U << 10;
// While so much waits to be written, nothing is read: acknowledgements must not pile up for a
// broker that does not take them.
constexpr std::size_t kMaxToWrite = 32U << 20;
// Looks at what came while the goodbye was said; reads at most so often.
constexpr int kLastReads = 16;

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The session was ended"};
}

}  // namespace

// ---- connecting ----

TcpAttempt::TcpAttempt(const Executor& executor, net::Address address, std::string peer_)
    : socket(executor), peer(std::move(peer_)), address_(std::move(address)) {}

Task<Result<void>> TcpAttempt::connect(std::shared_ptr<TcpAttempt> self) {
  error_code error;
  const auto ip = asio::ip::make_address(self->address_.ip, error);
  const asio::ip::tcp::endpoint target(ip, self->address_.port);
  if (!error) self->socket.open(target.protocol(), error);
  if (!error) {
    co_await self->socket.async_connect(target, asio::redirect_error(use_task, error));
  }
  Result<void> connected =
      error ? fail(net::error_from_errno(error.value(), "connect to", self->peer))
            : net::check_connected(self->socket.native_handle(), self->peer);
  if (!connected) net::reset_socket(self->socket);
  co_return connected;
}

void Wire::SslFree::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

Wire::Wire(const Executor& executor, Timers& timers, WireOwner& owner, TcpAttempt& attempt,
           std::unique_ptr<Client> client, std::shared_ptr<net::TlsClient> tls)
    : executor_(executor),
      timers_(timers),
      owner_(&owner),
      client_(std::move(client)),
      socket_(std::move(attempt.socket)),
      tls_(std::move(tls)),
      peer_(attempt.peer) {}

Wire::~Wire() {
  abort();
}

void Wire::secure() {
  ssl_.reset(SSL_new(tls_->context()));
  error_code ignored;
  socket_.non_blocking(true, ignored);
  if (ssl_) {
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    SSL_set_connect_state(ssl_.get());
    SSL_set_read_ahead(ssl_.get(), 1);
  }
  spawn(executor_, handshake(shared_from_this()));
}

Task<void> Wire::handshake(Self self) {
  error_code error;
  if (!self->ssl_) self->lose(net::error_from_errno(ENOMEM, "use TLS with", self->peer_));
  while (!self->ended_) {
    SSL* ssl = self->ssl_.get();
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl);
    if (result == 1) {
      if (self->owner_ != nullptr) self->owner_->on_secured();
      co_return;
    }
    const int wanted = SSL_get_error(ssl, result);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) {
      self->lose(self->tls_->failed(ssl, result, self->peer_));
      co_return;
    }
    const auto direction =
        wanted == SSL_ERROR_WANT_READ ? net::TcpSocket::wait_read : net::TcpSocket::wait_write;
    co_await self->socket_.async_wait(direction, asio::redirect_error(use_task, error));
    if (self->ended_) co_return;
    if (error) {
      self->lose(net::error_from_errno(error.value(), "shake hands with", self->peer_));
      co_return;
    }
  }
}

void Wire::start() {
  started_ = true;
  // After a handshake TLS may hold what came with its last message.
  drained_ = ssl_ == nullptr;
  spawn(executor_, read_loop(shared_from_this()));
  flush();
}

// ---- reading ----

bool Wire::may_read() const {
  return owner_ != nullptr && owner_->may_read() && waiting_to_write() < kMaxToWrite;
}

void Wire::resume() {
  if (resumed_) std::exchange(resumed_, nullptr)->set();
}

Task<void> Wire::pause(Self self) {
  self->paused_ = true;
  const auto resumed = std::make_shared<Event>(self->executor_);
  self->resumed_ = resumed;
  co_await resumed->wait();
  self->paused_ = false;
}

Task<void> Wire::read_loop(Self self) {
  error_code error;
  while (!self->ended_) {
    if (!self->may_read()) {
      co_await pause(self);
      continue;
    }
    if (self->left_over_) {
      if (!self->accept({})) co_return;
      self->flush();
      continue;
    }
    if (self->drained_) {
      co_await self->socket_.async_wait(net::TcpSocket::wait_read,
                                        asio::redirect_error(use_task, error));
      if (self->ended_) co_return;
      self->drained_ = false;
      if (!self->may_read()) continue;
    } else {
      co_await asio::post(self->executor_, use_task);
      if (self->ended_) co_return;
    }
    if (error) {
      self->lose(net::error_from_errno(error.value(), "read from", self->peer_));
      co_return;
    }
    if (!self->read_turn()) co_return;
    self->flush();
  }
}

// The buffer lives on the stack: a connection that is idle keeps no memory for reading.
bool Wire::read_turn() {
  std::array<char, kReadBytes> buffer;
  std::size_t count = 0;
  const Moved moved = read_some(buffer, count);
  if (moved == Moved::kLost) {
    lose(*std::exchange(failure_, std::nullopt));
    return false;
  }
  if (count == 0) return true;
  note_received();
  return accept(std::string_view(buffer.data(), count));
}

bool Wire::accept(std::string_view bytes) {
  left_over_ = false;
  const bool joined = !input_.empty();
  if (joined) input_.append(bytes);
  const auto used = handle(joined ? input_ : bytes);
  if (!used) return false;
  if (joined) {
    input_.erase(0, *used);
  } else {
    input_.assign(bytes.substr(*used));
  }
  if (input_.empty() && input_.capacity() > kKeptInput) input_.shrink_to_fit();
  return true;
}

std::optional<std::size_t> Wire::handle(std::string_view bytes) {
  constexpr char kTlsAlert = 0x15;
  std::size_t used = 0;
  while (used < bytes.size()) {
    if (!may_read()) {
      left_over_ = true;
      break;
    }
    const Decoded<std::size_t> taken = client_->take(bytes.substr(used));
    if (!taken) {
      const bool speaks_tls = !logged_in_ && !tls_ && bytes[used] == kTlsAlert;
      if (speaks_tls) {
        lose(tls_expected(peer_));
      } else {
        lose_by(taken.error());
      }
      return std::nullopt;
    }
    if (const auto& goodbye = client_->goodbye()) {
      lose(goodbye->reason >= kFirstRefusal ? disconnected_by_broker(goodbye->reason, peer_)
                                            : connection_lost(0, peer_, logged_in_));
      return std::nullopt;
    }
    if (*taken == 0) break;
    used += *taken;
  }
  return used;
}

Wire::Moved Wire::read_some(std::span<char> buffer, std::size_t& count) {
  if (failure_) return Moved::kLost;
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    // One record at a time is what OpenSSL gives.
    while (count < buffer.size()) {
      const auto room = buffer.subspan(count);
      const int result = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
      if (result > 0) {
        count += static_cast<std::size_t>(result);
        continue;
      }
      const Moved moved = judge_tls(result);
      if (moved == Moved::kNothing) drained_ = true;
      // What came before the end is handled first; the next read tells of it.
      return count > 0 ? Moved::kSome : moved;
    }
    return Moved::kSome;
  }
  const ssize_t result =
      ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (result > 0) {
    count = static_cast<std::size_t>(result);
    drained_ = count < buffer.size();
    return Moved::kSome;
  }
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) {
    drained_ = errno == EAGAIN;
    return Moved::kNothing;
  }
  failure_ = connection_lost(result == 0 ? 0 : errno, peer_, logged_in_);
  return Moved::kLost;
}

Wire::Moved Wire::judge_tls(int result) {
  const int error_number = errno;
  const int kind = SSL_get_error(ssl_.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return Moved::kNothing;
  const bool cut = kind == SSL_ERROR_SYSCALL || kind == SSL_ERROR_ZERO_RETURN ||
                   ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (auto alert = tls_->alert(peer_)) {
    failure_ = *std::move(alert);
  } else if (!logged_in_ && cut) {
    // TLS 1.3 refuses a client's certificate only now.
    failure_ = tls_->broken(peer_);
  } else if (cut) {
    failure_ = connection_lost(kind == SSL_ERROR_SYSCALL ? error_number : 0, peer_, logged_in_);
  } else {
    failure_ = tls_->failed(ssl_.get(), result, peer_);
  }
  ERR_clear_error();
  return Moved::kLost;
}

// ---- writing ----

void Wire::flush() {
  if (ended_ || !started_ || flushing_ || waiting_to_write() == 0) return;
  flushing_ = true;
  asio::post(executor_, [self = shared_from_this()] { self->write_turn(); });
}

void Wire::settle() {
  if (ended_ || !client_) return;
  client_->settle();
  flush();
}

void Wire::write_turn() {
  if (ended_) return;
  bool some = false;
  Moved moved = Moved::kSome;
  while (moved == Moved::kSome && waiting_to_write() > 0) {
    std::size_t count = 0;
    moved = write_some(client_->to_write(), count);
    client_->wrote(count);
    some = some || count > 0;
  }
  if (moved == Moved::kLost) {
    Error error = *std::exchange(failure_, std::nullopt);
    // Why the broker closed may still be there to read.
    if (read_turn()) lose(std::move(error));
    return;
  }
  if (moved == Moved::kNothing) {
    spawn(executor_, wait_writable(shared_from_this()));
  } else {
    flushing_ = false;
    if (written_) std::exchange(written_, nullptr)->set();
  }
  if (some && owner_ != nullptr) owner_->on_written();
  if (paused_ && may_read()) resume();
}

Task<void> Wire::wait_writable(Self self) {
  error_code error;
  co_await self->socket_.async_wait(net::TcpSocket::wait_write,
                                    asio::redirect_error(use_task, error));
  self->write_turn();
}

Wire::Moved Wire::write_some(std::string_view bytes, std::size_t& count) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    const int result = SSL_write(ssl_.get(), bytes.data(), size);
    if (result <= 0) return judge_tls(result);
    count = static_cast<std::size_t>(result);
    return Moved::kSome;
  }
  const ssize_t result =
      ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (result >= 0) {
    count = static_cast<std::size_t>(result);
    return Moved::kSome;
  }
  if (errno == EAGAIN) return Moved::kNothing;
  if (errno == EINTR) return Moved::kSome;
  failure_ = net::error_from_errno(errno, "write to", peer_);
  return Moved::kLost;
}

// ---- signs of life ----

std::size_t Wire::waiting_to_read() const {
  int count = 0;
  if (::ioctl(const_cast<net::TcpSocket&>(socket_).native_handle(), FIONREAD, &count) != 0) {
    return 0;
  }
  return static_cast<std::size_t>(count);
}

void Wire::note_received() {
  asked_at_.reset();
  if (received_) std::exchange(received_, nullptr)->set();
}

void Wire::send_ping() {
  if (!asked_at_) asked_at_ = timers_.now();
  // What waits must go first, and asks for an answer as well.
  if (waiting_to_write() > 0) return;
  client_->ping();
  flush();
}

void Wire::start_keep_alive(Duration keep_alive) {
  spawn(executor_, keep_alive_loop(shared_from_this(), keep_alive));
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
    if (self->paused_ || self->waiting_to_read() > 0) self->asked_at_.reset();
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
  if (self->ended_) co_return fail(cancelled());
  // Bytes that wait because we do not read are a sign of life, too.
  if (self->paused_) co_return Result<void>{};
  if (!self->received_) self->received_ = std::make_shared<Event>(self->executor_);
  const auto received = self->received_;
  self->send_ping();
  const bool answered = co_await received->wait_until(self->timers_, deadline);
  if (self->loss_) co_return fail(*self->loss_);
  if (self->ended_) co_return fail(cancelled());
  if (answered) co_return Result<void>{};
  co_return fail(ErrorClass::kTransient, "timeout",
                 fmt::format("{} did not answer a PINGREQ in time", self->peer_),
                 "Is the broker overloaded, or the network path to it down?");
}

// ---- the end ----

Task<void> Wire::say_goodbye(SteadyTime deadline) {
  return say_goodbye(shared_from_this(), deadline);
}

Task<void> Wire::say_goodbye(Self self, SteadyTime deadline) {
  if (self->ended_) co_return;
  // From here on nothing is read, and the end of the socket is no loss.
  self->owner_ = nullptr;
  self->client_->disconnect();
  const auto written = std::make_shared<Event>(self->executor_);
  self->written_ = written;
  self->flush();
  co_await written->wait_until(self->timers_, deadline);
  if (std::exchange(self->ended_, true)) co_return;
  self->close(true);
}

void Wire::give_up(Error error) {
  asio::post(executor_,
             [self = shared_from_this(), error = std::move(error)] { self->lose(error); });
}

// A broker that is no broker, or breaks the rules, is told so where the version has words for it.
void Wire::lose_by(const Fault& fault) {
  if (logged_in_ && waiting_to_write() == 0) {
    client_->disconnect(fault.reason);
    std::size_t count = 0;
    write_some(client_->to_write(), count);
    failure_.reset();
  }
  lose(not_mqtt(fault.text, peer_));
}

void Wire::lose(Error error) {
  if (std::exchange(ended_, true)) return;
  loss_ = error;
  close(false);
  if (auto* owner = std::exchange(owner_, nullptr)) owner->on_lost(std::move(error));
}

void Wire::close(bool politely) noexcept {
  error_code ignored;
  if (politely) {
    if (ssl_) SSL_shutdown(ssl_.get());
    ERR_clear_error();
    socket_.shutdown(net::TcpSocket::shutdown_send, ignored);
    // Closing with unread data would turn the goodbye into a reset.
    std::array<char, 4096> waste;
    for (int i = 0; i < kLastReads; ++i) {
      if (::recv(socket_.native_handle(), waste.data(), waste.size(), MSG_DONTWAIT) <= 0) break;
    }
  }
  socket_.close(ignored);
  resume();
  for (auto* event : {&received_, &written_, &tick_}) {
    if (*event) std::exchange(*event, nullptr)->set();
  }
}

void Wire::abort() noexcept {
  owner_ = nullptr;
  if (!std::exchange(ended_, true)) {
    net::reset_socket(socket_);
    close(false);
  }
  client_.reset();
}

}  // namespace tributary::connectors::mqtt
