#include "connectors/modbus/src/mbap_channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "connectors/modbus/src/errors.hpp"

namespace tributary::connectors::modbus {
namespace {

// Requests that were given up and may still be answered; beyond it the oldest are forgotten, and
// count as discarded when they come.
constexpr std::size_t kMaxGivenUp = 64;

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

MbapChannel::MbapChannel(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers,
                         MbapOptions options)
    : wire_(std::move(stream), executor, timers), options_(std::move(options)) {
  pending_.reserve(std::max<std::size_t>(1, options_.window));
}

std::span<const std::byte> MbapChannel::next_frame(std::uint8_t unit, const Request& request) {
  ++transaction_;
  ++requests_;
  const std::size_t size = encode_request(transaction_, unit, request, out_);
  return std::span<const std::byte>(out_).first(size);
}

Task<Result<Reply>> MbapChannel::exchange(Ask ask) {
  const auto ticket = co_await send(ask);
  if (!ticket) co_return std::unexpected(ticket.error());
  co_return co_await receive(*ticket);
}

Task<Result<std::uint16_t>> MbapChannel::send(Ask ask) {
  const auto frame = next_frame(ask.unit, ask.request);
  auto sent = co_await wire_.write(frame, ask.deadline);
  if (!sent) {
    sent.error().outcome_unknown = is_write(ask.request.function);
    co_return std::unexpected(std::move(sent.error()));
  }
  pending_.push_back({transaction_, ask, false, {}, {}});
  co_return transaction_;
}

Task<Result<Reply>> MbapChannel::receive(std::uint16_t ticket) {
  const Ask ask = find(ticket)->ask;
  if (Pending* pending = find(ticket); pending->answered) {
    Reply reply = pending->reply;
    last_kept_ = std::move(pending->kept);  // the reply's data
    forget(ticket);
    co_return reply;
  }
  Reply reply;
  while (true) {
    auto taken = take_answers(ticket, reply);
    if (!taken) {
      // What follows cannot be trusted to be in step with what is asked.
      wire_.abort();
      forget(ticket);
      taken.error().outcome_unknown = is_write(ask.request.function);
      co_return std::unexpected(std::move(taken.error()));
    }
    if (*taken) {
      forget(ticket);
      co_return reply;
    }
    if (begin_ > 0) {
      std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const Timeout timeout = options_.check_transaction ? ask.timeout : Timeout::kEnds;
    auto count = co_await wire_.read(std::span(in_).subspan(end_), ask.deadline, timeout);
    if (!count) {
      give_up(ticket, ask.unit);
      co_return std::unexpected(silent(std::move(count.error()), ask));
    }
    end_ += *count;
  }
}

Task<Result<void>> MbapChannel::probe(std::uint8_t unit, const Request& request,
                                      SteadyTime deadline) {
  const auto frame = next_frame(unit, request);
  auto sent = co_await wire_.write(frame, deadline);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  give_up(transaction_, unit);
  co_return Result<void>{};
}

MbapChannel::Pending* MbapChannel::find(std::uint16_t transaction) {
  const auto found = std::ranges::find(pending_, transaction, &Pending::transaction);
  return found == pending_.end() ? nullptr : &*found;
}

void MbapChannel::forget(std::uint16_t transaction) {
  std::erase_if(pending_, [&](const Pending& p) { return p.transaction == transaction; });
}

void MbapChannel::give_up(std::uint16_t transaction, std::uint8_t unit) {
  forget(transaction);
  if (given_up_.size() >= kMaxGivenUp) given_up_.pop_front();
  given_up_.push_back({transaction, unit});
}

Result<bool> MbapChannel::take_answers(std::uint16_t wanted, Reply& reply) {
  bool done = false;
  while (!done) {
    Frame frame;
    const FrameState state =
        parse_frame(std::span<const std::byte>(in_).subspan(begin_, end_ - begin_), frame);
    if (state == FrameState::kIncomplete && !options_.datagrams) return false;
    if (state != FrameState::kComplete) {
      if (!options_.datagrams) return std::unexpected(unreadable());
      if (begin_ < end_) ++discarded_;
      begin_ = end_ = 0;
      return false;
    }
    begin_ += frame.size;
    if (begin_ == end_) begin_ = end_ = 0;
    TRIBUTARY_TRY(take_frame(frame, wanted, reply, done));
  }
  return true;
}

Result<void> MbapChannel::take_frame(const Frame& frame, std::uint16_t wanted, Reply& reply,
                                     bool& done) {
  Pending* pending = options_.check_transaction ? find(frame.transaction) : find(wanted);
  if (pending == nullptr || pending->answered) {
    if (!options_.datagrams && !was_asked(frame.transaction)) {
      return fail(ErrorClass::kTransient, "protocol_error",
                  fmt::format("{} answered transaction {}, which was never asked (now asking {}).",
                              wire_.peer(), frame.transaction, wanted),
                  kGatewayHint);
    }
    note_stray(frame);
    return {};
  }
  const Ask& ask = pending->ask;
  if (options_.check_unit && frame.unit != ask.unit) {
    return fail(ErrorClass::kTransient, "protocol_error",
                fmt::format("{} answered as unit {} to: {}.", wire_.peer(), frame.unit,
                            describe(ask.request, ask.unit)),
                "A gateway that always answers with its own id needs the setting replyUnitCheck: "
                "ignore.");
  }
  const Reply got = decode_reply(frame.pdu, ask.request);
  if (got.state != ReplyState::kOk && got.state != ReplyState::kException) {
    return fail(ErrorClass::kTransient, "protocol_error",
                fmt::format("{} answered {} to: {}.", wire_.peer(), wrong(got.state),
                            describe(ask.request, ask.unit)),
                kGatewayHint);
  }
  if (pending->transaction == wanted) {
    reply = got;
    done = true;
    return {};
  }
  pending->answered = true;
  pending->reply = got;
  pending->kept.assign(got.data.begin(), got.data.end());
  pending->reply.data = pending->kept;
  return {};
}

// Ids count up by one and wrap: an id was used before when it is at most as many steps back as
// requests were made.
bool MbapChannel::was_asked(std::uint16_t transaction) const {
  const auto back = static_cast<std::uint16_t>(transaction_ - transaction);
  return back < std::min<std::uint64_t>(requests_, 32768);
}

void MbapChannel::note_stray(const Frame& frame) {
  ++discarded_;
  const auto found = std::ranges::find(given_up_, frame.transaction, &GivenUp::transaction);
  if (found == given_up_.end()) return;
  const std::uint8_t unit = found->unit;
  given_up_.erase(found);
  if (options_.answered_late) options_.answered_late(unit);
}

Error MbapChannel::unreadable() const {
  return {ErrorClass::kTransient, "protocol_error",
          fmt::format("What {} answers is not Modbus TCP.", wire_.peer()),
          "Is this port really Modbus TCP? A converter that passes serial frames on needs the "
          "transport RTU over TCP.",
          "/settings/port"};
}

Error MbapChannel::silent(Error error, const Ask& ask) const {
  error.outcome_unknown = is_write(ask.request.function);
  if (error.code != "timeout") return error;
  return no_answer(wire_.peer(), ask.request, ask.unit);
}

}  // namespace tributary::connectors::modbus
