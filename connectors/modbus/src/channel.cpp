#include "connectors/modbus/src/channel.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cstring>

#include "connectors/modbus/src/errors.hpp"

namespace tributary::connectors::modbus {
namespace {

bool is_write(FunctionCode function) {
  return function >= FunctionCode::kWriteSingleCoil;
}

constexpr const char* kGatewayHint =
    "A gateway or device that mixes up its answers needs an update or fewer clients.";

std::string_view wrong(ReplyState state) {
  switch (state) {
    case ReplyState::kWrongFunction:
      return "with another function code";
    case ReplyState::kWrongLength:
      return "with another length than was asked for";
    case ReplyState::kWrongEcho:
      return "by confirming something else";
    case ReplyState::kOk:
    case ReplyState::kException:
      break;
  }
  return "";
}

}  // namespace

Channel::Channel(std::unique_ptr<net::Stream> stream, bool check_unit)
    : stream_(std::move(stream)), check_unit_(check_unit) {}

Task<Result<Reply>> Channel::exchange(std::uint8_t unit, const Request& request,
                                      SteadyTime deadline) {
  ++transaction_;
  ++requests_;
  const std::size_t size = encode_request(transaction_, unit, request, out_);
  auto sent = co_await stream_->write_all(std::span(out_).first(size), deadline);
  Reply reply;
  if (!sent) {
    sent.error().outcome_unknown = is_write(request.function);
    co_return std::unexpected(std::move(sent.error()));
  }
  while (true) {
    auto taken = take_answer(unit, request, reply);
    if (!taken) {
      // What follows cannot be trusted to be in step with what is asked.
      stream_->abort();
      taken.error().outcome_unknown = is_write(request.function);
      co_return std::unexpected(std::move(taken.error()));
    }
    if (*taken) co_return reply;
    if (begin_ > 0) {
      std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    auto count = co_await stream_->read_some(std::span(in_).subspan(end_), deadline);
    if (!count) {
      Error error = std::move(count.error());
      error.outcome_unknown = is_write(request.function);
      if (error.code == "timeout") {
        error.message = fmt::format("{} did not answer in time to: {}.", stream_->peer(),
                                    describe(request, unit));
        error.hint =
            "Is the device running, is the unit id right (devices ignore requests to others), and "
            "is the request "
            "timeout long enough for it?";
      }
      co_return std::unexpected(std::move(error));
    }
    end_ += *count;
  }
}

// True when the buffer held the answer to this request, false when more has to come.
Result<bool> Channel::take_answer(std::uint8_t unit, const Request& request, Reply& reply) {
  while (true) {
    Frame frame;
    const FrameState state =
        parse_frame(std::span<const std::byte>(in_).subspan(begin_, end_ - begin_), frame);
    if (state == FrameState::kIncomplete) return false;
    if (state == FrameState::kNotModbus) return std::unexpected(unreadable());
    begin_ += frame.size;
    if (begin_ == end_) begin_ = end_ = 0;
    if (frame.transaction != transaction_) {
      if (!was_asked(frame.transaction)) {
        return fail(
            ErrorClass::kTransient, "protocol_error",
            fmt::format("{} answered transaction {}, which was never asked (now asking {}).",
                        stream_->peer(), frame.transaction, transaction_),
            kGatewayHint);
      }
      ++discarded_;
      continue;
    }
    if (check_unit_ && frame.unit != unit) {
      return fail(ErrorClass::kTransient, "protocol_error",
                  fmt::format("{} answered as unit {} to: {}.", stream_->peer(), frame.unit,
                              describe(request, unit)),
                  "A gateway that always answers with its own id needs the setting replyUnitCheck: "
                  "ignore.");
    }
    reply = decode_reply(frame.pdu, request);
    if (reply.state == ReplyState::kOk || reply.state == ReplyState::kException) return true;
    return fail(ErrorClass::kTransient, "protocol_error",
                fmt::format("{} answered {} to: {}.", stream_->peer(), wrong(reply.state),
                            describe(request, unit)),
                kGatewayHint);
  }
}

// Ids count up by one and wrap: an id was used before when it is at most as many steps back as
// requests were made.
bool Channel::was_asked(std::uint16_t transaction) const {
  const auto back = static_cast<std::uint16_t>(transaction_ - transaction);
  return back >= 1 && back < std::min<std::uint64_t>(requests_, 32768);
}

Error Channel::unreadable() const {
  return {ErrorClass::kTransient, "protocol_error",
          fmt::format("What {} answers is not Modbus TCP.", stream_->peer()),
          "Is this port really Modbus TCP? Modbus RTU over TCP and other services look like this.",
          "/settings/port"};
}

}  // namespace tributary::connectors::modbus
