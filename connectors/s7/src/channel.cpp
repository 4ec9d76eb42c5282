#include "connectors/s7/src/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "connectors/s7/src/errors.hpp"

namespace tributary::connectors::s7 {
namespace {

// A message in pieces is at most a PDU; lists of some CPUs are longer.
constexpr std::size_t kMaxMessageSize = 16'384;

constexpr const char* kRefusedHint =
    "Are rack and slot (or the TSAPs) those of the CPU? S7-1200 and S7-1500 have slot 1, S7-300 "
    "slot "
    "2. Has the CPU connections left: other clients and panels take them too?";

}  // namespace

Channel::Channel(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers)
    : stream_(std::move(stream)), timers_(timers), turns_(executor) {}

void Channel::abort() noexcept {
  over_ = true;
  stream_->abort();
}

Task<Result<Turns::Turn>> Channel::take_turn(Urgency urgency, SteadyTime deadline) {
  const bool taken = co_await turns_.take(urgency == Urgency::kWrite, timers_, deadline);
  if (taken) co_return Turns::Turn(turns_);
  co_return fail(ErrorClass::kFunction, "timeout", "Another request to this CPU was still running.",
                 "Give the request more time, or ask for less at once.");
}

Task<Result<Frame>> Channel::read_frame(SteadyTime deadline) {
  while (true) {
    Frame frame;
    const auto rest = std::span<const std::byte>(in_).subspan(begin_, end_ - begin_);
    const FrameState state = parse_frame(rest, frame);
    if (state == FrameState::kComplete) {
      begin_ += frame.size;
      co_return frame;
    }
    if (state == FrameState::kNotS7) {
      // What follows cannot be trusted to be in step with what is asked.
      abort();
      co_return std::unexpected(unreadable());
    }
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    auto count = co_await stream_->read_some(std::span(in_).subspan(end_), deadline);
    if (!count) co_return std::unexpected(std::move(count.error()));
    end_ += *count;
  }
}

Task<Result<void>> Channel::connect(std::uint16_t local_tsap, std::uint16_t remote_tsap,
                                    SteadyTime deadline) {
  const std::size_t size = encode_connect(local_tsap, remote_tsap, out_);
  auto sent = co_await stream_->write_all(std::span(out_).first(size), deadline);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  auto frame = co_await read_frame(deadline);
  if (!frame) {
    Error error = std::move(frame.error());
    if (error.code == "connection_closed" || error.code == "connection_reset") {
      error.message =
          fmt::format("{} ended the connection when it was asked for the CPU.", stream_->peer());
      error.hint = kRefusedHint;
    }
    co_return std::unexpected(std::move(error));
  }
  if (frame->type == CotpType::kConnectConfirm) co_return Result<void>{};
  abort();
  if (frame->type == CotpType::kDisconnectRequest) {
    co_return fail(ErrorClass::kTransient, "connection_refused_by_cpu",
                   fmt::format("{} refused the connection to the CPU (reason {}).", stream_->peer(),
                               frame->reason),
                   kRefusedHint, "/settings/slot");
  }
  co_return std::unexpected(unreadable());
}

Task<Result<void>> Channel::negotiate(std::uint16_t wanted, SteadyTime deadline) {
  const std::size_t size = encode_setup(next_reference(), wanted, out_);
  auto answer = co_await exchange(size, deadline);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->error != 0) {
    abort();
    Error error = message_error(answer->error, "begin S7 communication");
    error.error_class = ErrorClass::kTransient;
    co_return std::unexpected(std::move(error));
  }
  std::uint16_t granted = 0;
  if (!decode_setup(*answer, granted) || granted < kMinPduSize)
    co_return std::unexpected(wrong_answer("the beginning of S7 communication"));
  pdu_size_ = std::min(granted, wanted);
  co_return Result<void>{};
}

Task<Result<Message>> Channel::exchange(std::size_t size, SteadyTime deadline, Effect effect) {
  if (over_) co_return fail(ErrorClass::kCancelled, "cancelled", "The session is over.");
  ++questions_;
  pieces_.clear();
  const auto with_effect = [effect](Error error) {
    error.outcome_unknown = effect == Effect::kChanges;
    return std::unexpected(std::move(error));
  };
  auto sent = co_await stream_->write_all(std::span(out_).first(size), deadline);
  if (!sent) {
    abort();
    co_return with_effect(std::move(sent.error()));
  }
  while (true) {
    auto frame = co_await read_frame(deadline);
    if (!frame) {
      abort();
      Error error = std::move(frame.error());
      if (error.code == "timeout") {
        error.message = fmt::format("{} did not answer in time.", stream_->peer());
        error.hint =
            "Is the CPU reachable and not overloaded, and is the request timeout long "
            "enough for its cycle?";
      }
      co_return with_effect(std::move(error));
    }
    Message message;
    auto taken = take_message(*frame, message);
    if (!taken) {
      abort();
      co_return with_effect(std::move(taken.error()));
    }
    if (*taken) co_return message;
  }
}

// True when the frame ends the answer to the last question.
Result<bool> Channel::take_message(const Frame& frame, Message& message) {
  if (frame.type == CotpType::kDisconnectRequest) {
    return fail(ErrorClass::kTransient, "connection_closed",
                fmt::format("{} ended the connection to the CPU (reason {}).", stream_->peer(),
                            frame.reason));
  }
  if (frame.type != CotpType::kData) return std::unexpected(unreadable());
  std::span<const std::byte> bytes = frame.payload;
  if (!frame.last || !pieces_.empty()) {
    if (pieces_.size() + bytes.size() > kMaxMessageSize) return std::unexpected(unreadable());
    pieces_.insert(pieces_.end(), bytes.begin(), bytes.end());
    if (!frame.last) return false;
    bytes = pieces_;
  }
  if (!parse_message(bytes, message) || message.type == MessageType::kJob)
    return std::unexpected(unreadable());
  if (message.reference == reference_) return true;
  if (!was_asked(message.reference)) {
    return fail(ErrorClass::kTransient, "protocol_error",
                fmt::format("{} answered question {}, which was never asked (now asking {}).",
                            stream_->peer(), message.reference, reference_),
                "A CPU or gateway that mixes up its answers needs an update or fewer clients.");
  }
  pieces_.clear();
  ++discarded_;
  return false;
}

// References count up by one and wrap: one was used before when it is at most as many steps back as
// questions were asked.
bool Channel::was_asked(std::uint16_t reference) const {
  const auto back = static_cast<std::uint16_t>(reference_ - reference);
  return back >= 1 && back < std::min<std::uint64_t>(questions_, 32768);
}

Error Channel::wrong_answer(std::string_view to) {
  abort();
  return {ErrorClass::kTransient, "protocol_error",
          fmt::format("{} answered something else to: {}.", stream_->peer(), to),
          "A CPU or gateway that mixes up its answers needs an update or fewer clients."};
}

Error Channel::unreadable() const {
  return {ErrorClass::kTransient, "protocol_error",
          fmt::format("What {} answers is not the S7 protocol.", stream_->peer()),
          "Is this really the port of an S7 CPU? It is 102 unless something is in between.",
          "/settings/port"};
}

Task<void> Channel::leave(SteadyTime deadline) {
  const std::size_t size = encode_disconnect(out_);
  const auto sent = co_await stream_->write_all(std::span(out_).first(size), deadline);
  while (sent) {
    const auto count = co_await stream_->read_some(std::span(in_), deadline);
    if (!count) break;
  }
  abort();
}

}  // namespace tributary::connectors::s7
