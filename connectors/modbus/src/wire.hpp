// A stream of bytes that survives a time-out: net::Stream ends at its deadline, a gateway with one
// silent unit behind it must not.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "connectors/modbus/src/channel.hpp"
#include "net/stream.hpp"
#include "runtime/event.hpp"

namespace tributary::connectors::modbus {

// Lives on one executor; one reader and one writer at a time.
class Wire {
 public:
  Wire(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  Task<Result<void>> write(std::span<const std::byte> data, SteadyTime deadline);
  // At least one byte. Errors: those of net::Stream::read_some; after a "timeout" with kKeeps the
  // wire goes on, and what comes later is read by the next one.
  Task<Result<std::size_t>> read(std::span<std::byte> into, SteadyTime deadline, Timeout timeout);
  // Bytes that have come already, without waiting for more, thrown away.
  std::size_t drop_received();

  void abort() noexcept { state_->stream->abort(); }
  void close() noexcept { state_->stream->close(); }
  const std::string& peer() const { return state_->stream->peer(); }
  Timers& timers() const { return timers_; }

 private:
  // Shared with the read that is under way, which may outlive a time-out and this wire.
  struct State {
    std::shared_ptr<net::Stream> stream;
    std::array<std::byte, 300> buffer;
    std::size_t begin = 0;  // of what has come and was not taken
    std::size_t end = 0;
    bool reading = false;
    std::optional<Error> error;
    std::shared_ptr<Event> arrived;
  };
  Task<Result<std::size_t>> read_kept(std::span<std::byte> into, SteadyTime deadline,
                                      Timeout timeout);
  void start_reading();
  static Task<void> read_in_background(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
  Executor executor_;
  Timers& timers_;
};

}  // namespace tributary::connectors::modbus
