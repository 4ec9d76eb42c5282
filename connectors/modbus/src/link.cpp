#include "connectors/modbus/src/link.hpp"

#include <fmt/format.h>

#include <cstring>

#include "connectors/modbus/src/errors.hpp"

namespace tributary::connectors::modbus {

Link::Link(std::unique_ptr<Channel> channel, Executor executor, Timers& timers, Clock& clock,
           LinkOptions options, UnitPolicy policy)
    : channel_(std::move(channel)),
      timers_(timers),
      clock_(clock),
      options_(options),
      turns_(executor),
      units_(policy) {}

Task<Result<Turns::Turn>> Link::take_turn(SteadyTime deadline, bool urgent) {
  if (!turns_.try_take()) {
    const bool taken = co_await turns_.take(urgent, timers_, deadline);
    if (!taken) {
      co_return fail(ErrorClass::kFunction, "timeout",
                     "Another request to this device was still running.",
                     "Give the request more time, or ask for less at once.");
    }
  }
  Turns::Turn turn(turns_);
  if (timers_.now() < not_before_) co_await pause();
  co_return std::move(turn);
}

Task<void> Link::pause() {
  return sleep_until(timers_, not_before_);
}

Ask Link::make_ask(std::uint8_t unit, const Request& request, SteadyTime deadline,
                   bool urgent) const {
  Ask ask;
  ask.unit = unit;
  ask.request = request;
  ask.deadline = std::min(deadline, timers_.now() + options_.request_timeout);
  ask.timeout = units_.may_be_silent(unit) ? Timeout::kKeeps : Timeout::kEnds;
  ask.urgent = urgent;
  return ask;
}

Task<Result<Reply>> Link::ask(std::uint8_t unit, Request request, SteadyTime deadline, bool urgent,
                              Buffer& into) {
  std::optional<Turns::Turn> held;
  if (now() >= not_before_ && turns_.try_take()) {
    held.emplace(turns_);
  } else {
    auto turn = co_await take_turn(deadline, urgent);
    if (!turn) co_return std::unexpected(turn.error());
    held.emplace(*std::move(turn));
  }
  const Ask ask = make_ask(unit, request, deadline, urgent);
  auto reply = co_await channel_->exchange(ask);
  if (!reply) co_return std::unexpected(not_heard(ask, std::move(reply.error())));
  heard(unit, *reply, request);
  if (!reply->data.empty()) std::memcpy(into.data(), reply->data.data(), reply->data.size());
  reply->data = std::span<const std::byte>(into).first(reply->data.size());
  co_return reply;
}

void Link::heard(std::uint8_t unit, const Reply& reply, const Request& request) {
  if (options_.request_delay > Duration::zero())
    not_before_ = timers_.now() + options_.request_delay;
  if (reply.state == ReplyState::kException && unit_is_away(reply.exception)) {
    auto why = std::make_shared<const Error>(exception_error(reply.exception, request, unit));
    units_.away(unit, timers_.now(), std::move(why));
  } else {
    units_.answered(unit);
  }
}

Error Link::not_heard(const Ask& ask, Error error) {
  if (!is_silence(error)) return error;
  Error unit_only = error;
  unit_only.error_class = ErrorClass::kFunction;
  const auto why = std::make_shared<const Error>(unit_only);
  const bool lost = units_.silent(ask.unit, timers_.now(), why);
  return lost || ask.timeout == Timeout::kEnds ? error : unit_only;
}

Task<std::shared_ptr<const Error>> Link::rests(std::uint8_t unit, Request request,
                                               SteadyTime deadline) {
  if (!units_.rests(unit)) co_return nullptr;
  auto why = units_.resting(unit, timers_.now());
  if (why) co_return why;
  Pipeline* pipeline = channel_->pipeline();
  if (pipeline == nullptr) co_return nullptr;
  why = units_.reason(unit);
  const auto turn = co_await take_turn(deadline, false);
  if (!turn || !units_.take_try(unit, timers_.now())) co_return why;
  // Should sending fail, the next request says so.
  co_await pipeline->probe(unit, request, deadline);
  co_return why;
}

}  // namespace tributary::connectors::modbus
