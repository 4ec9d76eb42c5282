// One request, one answer, over one TCP connection: transaction ids, buffering, and everything a
// peer can answer wrongly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/error.hpp"
#include "base/time.hpp"
#include "connectors/modbus/src/codec.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"

namespace tributary::connectors::modbus {

// Lives on the stream's executor; one exchange at a time. After an error it is over: every later
// exchange fails.
class Channel {
 public:
  // With `check_unit` an answer must carry the unit id that was asked.
  Channel(std::unique_ptr<net::Stream> stream, bool check_unit);

  // Sends a request and waits for its answer. `request.data` must live until it returns. The reply
  // is kOk or kException; its data points into this channel's buffer and is valid until the next
  // exchange. Errors: those of net::Stream, and kTransient "protocol_error" for an answer that is
  // not Modbus or does not fit the request. A write that may have reached the device has
  // outcome_unknown set. Answers to earlier requests are dropped and counted: their values belong
  // to another question.
  Task<Result<Reply>> exchange(std::uint8_t unit, const Request& request, SteadyTime deadline);

  void abort() noexcept { stream_->abort(); }
  void close() noexcept { stream_->close(); }
  const std::string& peer() const { return stream_->peer(); }
  // Answers that came too late or twice.
  std::uint64_t discarded() const { return discarded_; }

 private:
  Result<bool> take_answer(std::uint8_t unit, const Request& request, Reply& reply);
  Error unreadable() const;
  bool was_asked(std::uint16_t transaction) const;

  std::unique_ptr<net::Stream> stream_;
  bool check_unit_;
  std::uint16_t transaction_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t discarded_ = 0;
  // Received bytes not used yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<std::byte, kMaxFrameSize> out_;
  // Room for the rest of one frame and a whole second one: merged frames need no second buffer.
  std::array<std::byte, 2 * kMaxFrameSize> in_;
};

}  // namespace tributary::connectors::modbus
