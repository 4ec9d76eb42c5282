// A line that carries RTU or ASCII frames: a serial port, or a TCP connection to a converter that
// passes the bytes on. One request at a time, whoever asks.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "connectors/modbus/src/line_frame.hpp"
#include "connectors/modbus/src/suspects.hpp"
#include "connectors/modbus/src/wire.hpp"
#include "runtime/turns.hpp"

namespace tributary::connectors::modbus {

struct LineOptions {
  Framing framing = Framing::kRtu;
  // What has to be silent before a request: 3.5 characters on a serial line (V1.02, 2.5.1.1).
  Duration silence{};
  // Adapters of two-wire lines that give back what they send.
  bool local_echo = false;

  friend bool operator==(const LineOptions&, const LineOptions&) = default;
};

// 3.5 characters of 11 bits; 1.75 ms above 19 200 baud, as the standard says.
Duration silence_at(std::uint32_t baud_rate);

// A question to the line and what becomes of it. Shared between who asks and the line.
struct LineJob {
  Ask ask;
  std::vector<std::byte> request_data;
  // Who asked has gone: what has not been sent is not sent any more.
  std::atomic<bool> abandoned = false;
  std::vector<std::byte> reply_data;
};

// Lives on the executor it was made with; everything but executor() is called there.
class Line {
 public:
  Line(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers, LineOptions options,
       std::shared_ptr<Suspects> suspects);

  // Waits for the turn, asks, and waits for the answer; all before the job's deadline. The reply's
  // data is in job.reply_data. Errors: as Channel::exchange. A time-out leaves the line usable.
  Task<Result<Reply>> exchange(std::shared_ptr<LineJob> job);
  void abort() noexcept { wire_.abort(); }

  Executor executor() const { return executor_; }
  const std::string& peer() const { return wire_.peer(); }
  // The port is gone; any thread.
  bool broken() const { return broken_; }
  std::uint64_t discarded() const { return discarded_; }

 private:
  Task<Result<Reply>> take_turn(std::shared_ptr<LineJob> job);
  Task<Result<Reply>> transact(std::uint8_t unit, Request request, SteadyTime deadline,
                               bool question);
  Task<Result<void>> settle_debts(std::uint8_t unit, SteadyTime deadline);
  Task<Result<void>> send(std::uint8_t unit, const Request& request, SteadyTime deadline);
  Task<Result<void>> swallow_echo(std::size_t size, SteadyTime deadline);
  bool find_answer(std::uint8_t unit, const Request& request, bool question, Reply& reply);
  void drop(std::size_t count);
  Error silent(Error error, std::uint8_t unit, const Request& request);

  Wire wire_;
  Executor executor_;
  LineOptions options_;
  std::shared_ptr<Suspects> suspects_;
  Turns turns_;
  SteadyTime last_byte_{};
  std::atomic<bool> broken_ = false;
  std::atomic<std::uint64_t> discarded_ = 0;
  std::size_t end_ = 0;  // of what was received and not used yet
  LineScratch scratch_;
  std::array<std::byte, kMaxLineFrame> out_;
  std::array<std::byte, 2 * kMaxLineFrame> in_;
};

}  // namespace tributary::connectors::modbus
