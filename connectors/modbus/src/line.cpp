#include "connectors/modbus/src/line.hpp"

#include <fmt/format.h>

#include <cstring>

#include "connectors/modbus/src/errors.hpp"

namespace tributary::connectors::modbus {
namespace {

constexpr double kBitsPerCharacter = 11;
constexpr std::uint32_t kFastBaudRate = 19200;

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The hub ended the session."};
}

}  // namespace

Duration silence_at(std::uint32_t baud_rate) {
  if (baud_rate > kFastBaudRate) return std::chrono::microseconds(1750);
  const double seconds = 3.5 * kBitsPerCharacter / std::max<std::uint32_t>(1, baud_rate);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Line::Line(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers,
           LineOptions options, std::shared_ptr<Suspects> suspects)
    : wire_(std::move(stream), executor, timers),
      executor_(executor),
      options_(options),
      suspects_(std::move(suspects)),
      turns_(executor) {}

Task<Result<Reply>> Line::exchange(std::shared_ptr<LineJob> job) {
  if (!turns_.try_take()) {
    const bool taken = co_await turns_.take(job->ask.urgent, wire_.timers(), job->ask.deadline);
    if (!taken) {
      co_return fail(ErrorClass::kFunction, "line_busy",
                     fmt::format("Other requests kept {} busy until the deadline.", peer()),
                     "Poll less often, or give the request more time: all units of a line share "
                     "it.");
    }
  }
  const Turns::Turn held(turns_);
  co_return co_await take_turn(job);
}

Task<Result<Reply>> Line::take_turn(std::shared_ptr<LineJob> job) {
  const Ask& ask = job->ask;
  if (job->abandoned) co_return std::unexpected(cancelled());
  if (suspects_->is_suspect(ask.unit)) {
    auto settled = co_await settle_debts(ask.unit, ask.deadline);
    if (!settled) {
      Error error = std::move(settled.error());
      if (is_silence(error)) error = no_answer(peer(), ask.request, ask.unit);
      error.outcome_unknown = false;  // the request itself was not sent
      co_return std::unexpected(std::move(error));
    }
    if (job->abandoned) co_return std::unexpected(cancelled());
  }
  auto reply = co_await transact(ask.unit, ask.request, ask.deadline, false);
  if (reply) {
    job->reply_data.assign(reply->data.begin(), reply->data.end());
    reply->data = job->reply_data;
  }
  co_return reply;
}

Task<Result<void>> Line::settle_debts(std::uint8_t unit, SteadyTime deadline) {
  std::array<std::byte, 2> data;
  const Request question = suspects_->question(unit, data);
  const auto reply = co_await transact(unit, question, deadline, true);
  if (!reply) co_return std::unexpected(reply.error());
  suspects_->cleared(unit);
  co_return Result<void>{};
}

Task<Result<Reply>> Line::transact(std::uint8_t unit, Request request, SteadyTime deadline,
                                   bool question) {
  auto sent = co_await send(unit, request, deadline);
  if (!sent) co_return std::unexpected(silent(std::move(sent.error()), unit, request));
  Reply reply;
  while (!find_answer(unit, request, question, reply)) {
    if (end_ == in_.size()) drop(in_.size() / 2);  // noise without an end
    const auto room = std::span(in_).subspan(end_);
    auto count = co_await wire_.read(room, deadline, Timeout::kKeeps);
    if (!count) {
      suspects_->owes(unit, request);
      co_return std::unexpected(silent(std::move(count.error()), unit, request));
    }
    last_byte_ = wire_.timers().now();
    end_ += *count;
  }
  co_return reply;
}

Task<Result<void>> Line::send(std::uint8_t unit, const Request& request, SteadyTime deadline) {
  const SteadyTime quiet = last_byte_ + options_.silence;
  if (wire_.timers().now() < quiet) co_await sleep_until(wire_.timers(), quiet);
  drop(end_);
  discarded_ += wire_.drop_received() > 0 ? 1 : 0;
  std::array<std::byte, kMaxPduSize> pdu;
  const std::size_t pdu_size = encode_request_pdu(request, pdu);
  const auto body = std::span<const std::byte>(pdu).first(pdu_size);
  const std::size_t size = encode_line_frame(options_.framing, unit, body, out_);
  auto written = co_await wire_.write(std::span<const std::byte>(out_).first(size), deadline);
  last_byte_ = wire_.timers().now();
  if (!written || !options_.local_echo) co_return written;
  co_return co_await swallow_echo(size, deadline);
}

Task<Result<void>> Line::swallow_echo(std::size_t size, SteadyTime deadline) {
  while (end_ < size) {
    const auto room = std::span(in_).subspan(end_);
    const auto count = co_await wire_.read(room, deadline, Timeout::kKeeps);
    if (!count) co_return std::unexpected(count.error());
    end_ += *count;
  }
  const bool same = std::memcmp(in_.data(), out_.data(), size) == 0;
  drop(size);
  if (same) co_return Result<void>{};
  co_return fail(
      ErrorClass::kTransient, "garbled_answer",
      fmt::format("{} did not give back what was sent.", peer()),
      "Does the adapter really echo (setting localEcho), or do two masters use the line?",
      "/settings/localEcho");
}

bool Line::find_answer(std::uint8_t unit, const Request& request, bool question, Reply& reply) {
  LineFrame frame;
  while (find_line_frame(options_.framing, Side::kReply, unit,
                         std::span<const std::byte>(in_).first(end_), frame, scratch_)) {
    reply = frame.unit == unit ? decode_reply(frame.pdu, request)
                               : Reply{ReplyState::kWrongFunction, 0, {}};
    const bool answers = reply.state == ReplyState::kOk || reply.state == ReplyState::kException;
    if (answers && (!question || suspects_->is_proof(unit, request, reply))) {
      end_ = 0;  // the reply's data stays where it is until the next read
      return true;
    }
    ++discarded_;
    drop(frame.end);
  }
  return false;
}

void Line::drop(std::size_t count) {
  std::memmove(in_.data(), in_.data() + count, end_ - count);
  end_ -= count;
}

Error Line::silent(Error error, std::uint8_t unit, const Request& request) {
  error.outcome_unknown = is_write(request.function);
  if (!is_silence(error)) {
    if (is_connection_error(error.error_class)) broken_ = true;
    return error;
  }
  if (error.code == "garbled_answer" || end_ == 0) {
    return error.code == "timeout" ? no_answer(peer(), request, unit) : error;
  }
  Error garbled(ErrorClass::kTransient, "garbled_answer",
                fmt::format("What came from {} when asked to {} has no valid checksum.", peer(),
                            describe(request, unit)),
                "Are speed, parity and stop bits those of the device? Check wiring, termination "
                "and shielding, and that two units do not have one address.");
  garbled.outcome_unknown = error.outcome_unknown;
  return garbled;
}

}  // namespace tributary::connectors::modbus
