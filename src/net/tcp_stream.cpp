#include "net/tcp_stream.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <cassert>
#include <cerrno>

#include "net/deadline_timer.hpp"
#include "net/options.hpp"

namespace tributary::net {
namespace {

// Reads that may complete without going back to the executor, one after another: a flooding peer
// must not keep the other connections of this executor waiting.
constexpr int kMaxInlineReads = 16;

Error cancelled(const std::string& peer) {
  return {ErrorClass::kCancelled, "cancelled",
          fmt::format("The connection to {} was ended by the hub", peer)};
}

// What a stream and its running operations share, so that the stream may go while an operation
// still has to resume.
class TcpState {
 public:
  TcpState(TcpSocket socket, std::string peer, Timers& timers)
      : socket_(std::move(socket)),
        peer_(std::move(peer)),
        deadlines_(socket_.get_executor(), timers, [this](Slot slot) { expire(slot); }) {}

  static Task<Result<std::size_t>> read(std::shared_ptr<TcpState> self, std::span<std::byte> buffer,
                                        SteadyTime deadline);
  static Task<Result<void>> write(std::shared_ptr<TcpState> self, std::span<const std::byte> data,
                                  SteadyTime deadline);
  void abort() noexcept;
  void close() noexcept;
  const std::string& peer() const { return peer_; }

 private:
  // The answer, or nullopt when nothing is there yet.
  std::optional<Result<std::size_t>> read_now(std::span<std::byte> buffer);
  Result<std::size_t> write_now(std::span<const std::byte> data);
  void expire(Slot slot);
  Error failure(Slot slot, const boost::system::error_code& error) const;
  Error closed_by_peer() const;

  TcpSocket socket_;
  std::string peer_;
  bool ended_ = false;
  std::array<bool, 2> expired_{};
  // The last read filled its buffer: more is probably waiting in the kernel.
  bool more_expected_ = false;
  int inline_reads_ = 0;
  DeadlineTimer deadlines_;
};

Error TcpState::closed_by_peer() const {
  return {ErrorClass::kTransient, "connection_closed",
          fmt::format("{} closed the connection", peer_),
          "Did the other side restart, or does it limit how many clients may connect?"};
}

Error TcpState::failure(Slot slot, const boost::system::error_code& error) const {
  const bool reading = slot == Slot::kRead;
  if (expired_[static_cast<std::size_t>(slot)]) {
    return {ErrorClass::kTransient, "timeout",
            reading ? fmt::format("{} did not answer in time", peer_)
                    : fmt::format("{} did not take what was sent in time", peer_),
            "Is the other side overloaded, or is the time limit too short for it?"};
  }
  if (ended_ || error == asio::error::operation_aborted) return cancelled(peer_);
  if (error == asio::error::eof) return closed_by_peer();
  return error_from_errno(error.value(), reading ? "read from" : "write to", peer_);
}

void TcpState::expire(Slot slot) {
  expired_[static_cast<std::size_t>(slot)] = true;
  abort();
}

std::optional<Result<std::size_t>> TcpState::read_now(std::span<std::byte> buffer) {
  if (!more_expected_ || ++inline_reads_ > kMaxInlineReads) {
    inline_reads_ = 0;
    return std::nullopt;
  }
  const ssize_t count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) {
    more_expected_ = static_cast<std::size_t>(count) == buffer.size();
    return static_cast<std::size_t>(count);
  }
  more_expected_ = false;
  if (count == 0) return fail(closed_by_peer());
  if (errno == EAGAIN || errno == EINTR) return std::nullopt;
  return fail(error_from_errno(errno, "read from", peer_));
}

Task<Result<std::size_t>> TcpState::read(std::shared_ptr<TcpState> self,
                                         std::span<std::byte> buffer, SteadyTime deadline) {
  assert(!buffer.empty());
  if (self->ended_) co_return fail(cancelled(self->peer_));
  if (auto now = self->read_now(buffer)) co_return std::move(*now);

  boost::system::error_code error;
  const asio::mutable_buffer target(buffer.data(), buffer.size());
  self->deadlines_.start(Slot::kRead, deadline);
  const std::size_t count =
      co_await self->socket_.async_read_some(target, asio::redirect_error(use_task, error));
  self->deadlines_.stop(Slot::kRead);
  if (error || self->ended_) co_return fail(self->failure(Slot::kRead, error));
  self->more_expected_ = count == buffer.size();
  co_return count;
}

// Sends what the kernel takes at once; a request nearly always fits, and then nothing has to wait.
Result<std::size_t> TcpState::write_now(std::span<const std::byte> data) {
  const ssize_t count =
      ::send(socket_.native_handle(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return fail(error_from_errno(errno, "write to", peer_));
}

Task<Result<void>> TcpState::write(std::shared_ptr<TcpState> self, std::span<const std::byte> data,
                                   SteadyTime deadline) {
  if (self->ended_) co_return fail(cancelled(self->peer_));
  if (data.empty()) co_return Result<void>{};
  const Result<std::size_t> sent = self->write_now(data);
  if (!sent) co_return fail(sent.error());
  data = data.subspan(*sent);

  boost::system::error_code error;
  self->deadlines_.start(Slot::kWrite, data.empty() ? SteadyTime::max() : deadline);
  while (!data.empty() && !error && !self->ended_) {
    const asio::const_buffer rest(data.data(), data.size());
    const std::size_t count =
        co_await self->socket_.async_write_some(rest, asio::redirect_error(use_task, error));
    data = data.subspan(count);
  }
  self->deadlines_.stop(Slot::kWrite);
  if (error || !data.empty()) co_return fail(self->failure(Slot::kWrite, error));
  co_return Result<void>{};
}

void TcpState::abort() noexcept {
  if (std::exchange(ended_, true)) return;
  deadlines_.shut_down();
  reset_socket(socket_);
}

void TcpState::close() noexcept {
  if (std::exchange(ended_, true)) return;
  deadlines_.shut_down();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  // Closing with unread data would turn the goodbye into a reset and lose what was written.
  std::array<std::byte, 4096> waste;
  for (int i = 0; i < kMaxInlineReads; ++i) {
    if (::recv(socket_.native_handle(), waste.data(), waste.size(), MSG_DONTWAIT) <= 0) break;
  }
  socket_.close(ignored);
}

class TcpStream final : public Stream {
 public:
  TcpStream(TcpSocket socket, std::string peer, Timers& timers)
      : state_(std::make_shared<TcpState>(std::move(socket), std::move(peer), timers)) {}
  ~TcpStream() override { state_->abort(); }

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime deadline) override {
    return TcpState::read(state_, buffer, deadline);
  }
  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime deadline) override {
    return TcpState::write(state_, data, deadline);
  }
  void abort() noexcept override { state_->abort(); }
  void close() noexcept override { state_->close(); }
  const std::string& peer() const override { return state_->peer(); }

 private:
  std::shared_ptr<TcpState> state_;
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket, std::string peer, Timers& timers) {
  return std::make_unique<TcpStream>(std::move(socket), std::move(peer), timers);
}

void reset_socket(TcpSocket& socket) noexcept {
  boost::system::error_code ignored;
  if (!socket.is_open()) return;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Task<Result<void>> read_exactly(Stream& stream, std::span<std::byte> buffer, SteadyTime deadline) {
  while (!buffer.empty()) {
    const Result<std::size_t> count = co_await stream.read_some(buffer, deadline);
    if (!count) co_return fail(count.error());
    buffer = buffer.subspan(*count);
  }
  co_return Result<void>{};
}

}  // namespace tributary::net
