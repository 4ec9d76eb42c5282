#include "connectors/modbus/src/wire.hpp"

#include <fmt/format.h>

#include <cstring>

namespace tributary::connectors::modbus {

Wire::Wire(std::unique_ptr<net::Stream> stream, Executor executor, Timers& timers)
    : state_(std::make_shared<State>()), executor_(executor), timers_(timers) {
  state_->stream = std::move(stream);
}

Wire::~Wire() {
  state_->stream->abort();
}

Task<Result<void>> Wire::write(std::span<const std::byte> data, SteadyTime deadline) {
  return state_->stream->write_all(data, deadline);
}

Task<void> Wire::read_in_background(std::shared_ptr<State> state) {
  auto count = co_await state->stream->read_some(state->buffer, SteadyTime::max());
  state->reading = false;
  state->begin = 0;
  state->end = count ? *count : 0;
  if (!count) state->error = std::move(count.error());
  if (state->arrived) std::exchange(state->arrived, nullptr)->set();
}

void Wire::start_reading() {
  if (state_->reading || state_->begin < state_->end || state_->error) return;
  state_->reading = true;
  spawn(executor_, read_in_background(state_));
}

// The way of nearly every read has no coroutine of its own.
Task<Result<std::size_t>> Wire::read(std::span<std::byte> into, SteadyTime deadline,
                                     Timeout timeout) {
  const bool idle = !state_->reading && state_->begin == state_->end && !state_->error;
  if (idle && timeout == Timeout::kEnds) return state_->stream->read_some(into, deadline);
  return read_kept(into, deadline, timeout);
}

Task<Result<std::size_t>> Wire::read_kept(std::span<std::byte> into, SteadyTime deadline,
                                          Timeout timeout) {
  const auto state = state_;
  start_reading();
  while (state->reading) {
    if (!state->arrived) state->arrived = std::make_shared<Event>(executor_);
    const auto arrived = state->arrived;
    const bool came = co_await arrived->wait_until(timers_, deadline);
    if (came) continue;
    if (timeout == Timeout::kEnds) state->stream->abort();
    co_return fail(ErrorClass::kTransient, "timeout",
                   fmt::format("{} did not answer in time", state->stream->peer()));
  }
  if (state->error) co_return fail(*state->error);
  const std::size_t count = std::min(into.size(), state->end - state->begin);
  std::memcpy(into.data(), state->buffer.data() + state->begin, count);
  state->begin += count;
  co_return count;
}

std::size_t Wire::drop_received() {
  const std::size_t count = state_->end - state_->begin;
  state_->begin = state_->end = 0;
  return count;
}

}  // namespace tributary::connectors::modbus
