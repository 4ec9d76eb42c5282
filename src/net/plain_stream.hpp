// The Stream of a descriptor that asio reads and writes: what datagram sockets and serial ports
// have in common. For implementers of streams.
#pragma once

#include <fmt/format.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <memory>
#include <string>

#include "net/deadline_timer.hpp"
#include "net/options.hpp"
#include "net/stream.hpp"

namespace tributary::net {

// `Io` has get_executor(), close(error), and read(buffer, token) and write(buffer, token) that
// start one asynchronous operation.
template <typename Io>
class PlainStream final : public Stream {
 public:
  PlainStream(Io io, std::string peer, Timers& timers)
      : state_(std::make_shared<State>(std::move(io), std::move(peer), timers)) {}
  ~PlainStream() override { state_->end(); }

  Task<Result<std::size_t>> read_some(std::span<std::byte> buffer, SteadyTime deadline) override {
    return State::read(state_, buffer, deadline);
  }
  Task<Result<void>> write_all(std::span<const std::byte> data, SteadyTime deadline) override {
    return State::write(state_, data, deadline);
  }
  void abort() noexcept override { state_->end(); }
  void close() noexcept override { state_->end(); }
  const std::string& peer() const override { return state_->peer; }

 private:
  // Shared with running operations, so that the stream may go while one still has to resume.
  struct State {
    State(Io io_, std::string peer_, Timers& timers)
        : io(std::move(io_)),
          peer(std::move(peer_)),
          deadlines(io.get_executor(), timers, [this](Slot slot) {
            expired[static_cast<std::size_t>(slot)] = true;
            end();
          }) {}

    static Task<Result<std::size_t>> read(std::shared_ptr<State> self, std::span<std::byte> buffer,
                                          SteadyTime deadline) {
      if (self->ended) co_return fail(self->failure(Slot::kRead, asio::error::operation_aborted));
      boost::system::error_code error;
      const asio::mutable_buffer target(buffer.data(), buffer.size());
      const auto token = asio::redirect_error(use_task, error);
      self->deadlines.start(Slot::kRead, deadline);
      const std::size_t count = co_await self->io.read(target, token);
      self->deadlines.stop(Slot::kRead);
      if (error || self->ended) co_return fail(self->failure(Slot::kRead, error));
      co_return count;
    }

    static Task<Result<void>> write(std::shared_ptr<State> self, std::span<const std::byte> data,
                                    SteadyTime deadline) {
      boost::system::error_code error;
      self->deadlines.start(Slot::kWrite, deadline);
      while (!data.empty() && !error && !self->ended) {
        const asio::const_buffer rest(data.data(), data.size());
        const auto token = asio::redirect_error(use_task, error);
        const std::size_t count = co_await self->io.write(rest, token);
        data = data.subspan(count);
      }
      self->deadlines.stop(Slot::kWrite);
      if (error || !data.empty()) co_return fail(self->failure(Slot::kWrite, error));
      co_return Result<void>{};
    }

    void end() noexcept {
      if (std::exchange(ended, true)) return;
      deadlines.shut_down();
      boost::system::error_code ignored;
      io.close(ignored);
    }

    Error failure(Slot slot, const boost::system::error_code& error) const {
      const bool reading = slot == Slot::kRead;
      if (expired[static_cast<std::size_t>(slot)]) {
        return {ErrorClass::kTransient, "timeout",
                reading ? fmt::format("{} did not answer in time", peer)
                        : fmt::format("{} did not take what was sent in time", peer),
                "Is the other side overloaded, or is the time limit too short for it?"};
      }
      if (ended || error == asio::error::operation_aborted) {
        return {ErrorClass::kCancelled, "cancelled",
                fmt::format("The connection to {} was ended by the hub", peer)};
      }
      if (error == asio::error::eof) {
        return {ErrorClass::kTransient, "connection_closed", fmt::format("{} is gone", peer),
                "Was the adapter unplugged?"};
      }
      return error_from_errno(error.value(), reading ? "read from" : "write to", peer);
    }

    Io io;
    std::string peer;
    bool ended = false;
    std::array<bool, 2> expired{};
    DeadlineTimer deadlines;
  };

  std::shared_ptr<State> state_;
};

}  // namespace tributary::net
