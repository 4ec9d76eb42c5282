// One question, one answer, over one TCP connection: references, pieces, buffering, and everything
// a peer can answer wrongly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "connectors/s7/src/codec.hpp"
#include "net/stream.hpp"
#include "runtime/task.hpp"
#include "runtime/turns.hpp"

namespace tributary::connectors::s7 {

// Whether a question that got no answer may have changed something.
enum class Effect : std::uint8_t { kNone, kChanges };

enum class Urgency : std::uint8_t { kWrite, kOther };

// Lives on the stream's executor; one exchange at a time: who may meet others takes the turn first.
// After an error it is over: every later exchange fails.
class Channel {
 public:
  Channel(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers);

  // To be held while one asks and looks at the answer. Error: kFunction "timeout" when the deadline
  // came first.
  Task<Result<Turns::Turn>> take_turn(Urgency urgency, SteadyTime deadline);
  bool busy() const { return turns_.taken(); }

  // The two handshakes. Errors: those of net::Stream; kTransient "connection_refused_by_cpu",
  // "protocol_error".
  Task<Result<void>> connect(std::uint16_t local_tsap, std::uint16_t remote_tsap,
                             SteadyTime deadline);
  Task<Result<void>> negotiate(std::uint16_t pdu_size, SteadyTime deadline);
  // As granted.
  std::size_t pdu_size() const { return pdu_size_; }

  // A frame is encoded into out() with next_reference(); exchange() sends it and waits for its
  // answer, which is valid until the next exchange. An answer may carry an error of the CPU.
  // Errors: those of net::Stream, and kTransient "protocol_error" for what is no answer.
  // Answers to earlier questions are dropped and counted: their values belong to another question.
  Out out() { return out_; }
  std::uint16_t next_reference() { return ++reference_ == 0 ? ++reference_ : reference_; }
  Task<Result<Message>> exchange(std::size_t size, SteadyTime deadline,
                                 Effect effect = Effect::kNone);
  // For answers that have the right reference and yet make no sense: ends the channel.
  Error wrong_answer(std::string_view to);

  // Says goodbye and waits until the peer has closed too, so that its connection is free when this
  // returns; at most until the deadline. Ends as abort().
  Task<void> leave(SteadyTime deadline);
  void abort() noexcept;
  const std::string& peer() const { return stream_->peer(); }
  // Answers that came too late or twice.
  std::uint64_t discarded() const { return discarded_; }

 private:
  Task<Result<Frame>> read_frame(SteadyTime deadline);
  Result<bool> take_message(const Frame& frame, Message& message);
  bool was_asked(std::uint16_t reference) const;
  Error unreadable() const;

  std::unique_ptr<net::Stream> stream_;
  Timers& timers_;
  Turns turns_;
  bool over_ = false;
  std::uint16_t reference_ = 0;
  std::uint64_t questions_ = 0;
  std::uint64_t discarded_ = 0;
  std::size_t pdu_size_ = kMinPduSize;
  // Received bytes not used yet: [begin_, end_).
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<std::byte> pieces_;  // of a message that comes in several frames
  std::array<std::byte, kMaxFrameSize> out_;
  // Room for the rest of one frame and a whole second one.
  std::array<std::byte, 2 * kMaxFrameSize> in_;
};

}  // namespace tributary::connectors::s7
