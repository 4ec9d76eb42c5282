#include "connectors/modbus/src/session.hpp"

#include <fmt/format.h>

#include "connectors/modbus/settings.hpp"
#include "connectors/modbus/src/channel.hpp"
#include "connectors/modbus/src/operation.hpp"
#include "connectors/modbus/src/scan.hpp"
#include "connectors/modbus/src/writing.hpp"
#include "runtime/event.hpp"

namespace tributary::connectors::modbus {
namespace {

// What a session and its running operations share, so that the session may go while one still has
// to resume.
struct State {
  State(const sdk::SessionContext& context_, const sdk::Profile& profile)
      : context(context_),
        settings(ConnectionSettings::from_json(profile.settings)),
        keepalive(profile.keepalive) {}

  ScanLimits limits(SteadyTime deadline) const {
    return {deadline, std::chrono::milliseconds(settings.request_timeout_ms)};
  }

  sdk::SessionContext context;
  ConnectionSettings settings;
  net::Keepalive keepalive;
  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  std::unique_ptr<Channel> channel;
  LivePlans plans;
  bool ended = false;  // by abort() or close()
  std::optional<Error> lost;
  std::shared_ptr<Event> turn;  // set while an exchange is running: the next one waits for it
};

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The hub ended the session."};
}

// One exchange at a time: a health check that meets a running call waits for it.
struct Turn {
  explicit Turn(std::shared_ptr<State> state_) : state(std::move(state_)) {
    state->turn = std::make_shared<Event>(state->context.executor);
  }
  ~Turn() { std::exchange(state->turn, nullptr)->set(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  std::shared_ptr<State> state;
};

// Waits until nothing is running. Error: kCancelled; kBusy is not one, a call in progress ends by
// its own deadline.
Task<Result<void>> wait_for_turn(std::shared_ptr<State> state, SteadyTime deadline) {
  while (state->turn) {
    auto running = state->turn;
    const bool freed = co_await running->wait_until(state->context.timers, deadline);
    if (!freed) {
      co_return fail(ErrorClass::kFunction, "timeout",
                     "Another request to this device was still running.",
                     "Give the request more time, or ask for less at once.");
    }
  }
  if (state->ended) co_return std::unexpected(cancelled());
  if (state->lost) co_return std::unexpected(*state->lost);
  if (!state->channel)
    co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  co_return Result<void>{};
}

// Keeps what ended the session, so that a later call says why.
Error note_loss(State& state, Error error) {
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return ended;
  }
  if (is_connection_error(error.error_class)) {
    state.lost = error;
    state.lost->outcome_unknown = false;
    state.channel->abort();
  }
  return error;
}

Task<Result<sdk::PeerIdentity>> open(std::shared_ptr<State> state, SteadyTime deadline,
                                     net::StageObserver& stages) {
  if (state->ended) co_return std::unexpected(cancelled());
  const net::Endpoint endpoint{state->settings.host,
                               static_cast<std::uint16_t>(state->settings.port)};
  auto stream = co_await state->context.network.dial_cancellable(endpoint, state->keepalive,
                                                                 deadline, stages, state->dialling);
  if (state->ended) {
    if (stream) (*stream)->abort();
    co_return std::unexpected(cancelled());
  }
  if (!stream) {
    Error error = std::move(stream.error());
    if (error.code == "connection_refused")
      error.hint = "Is the device's Modbus server enabled, and is this its port?";
    co_return std::unexpected(std::move(error));
  }
  const bool check_unit =
      state->settings.reply_unit_check == ConnectionSettings::ReplyUnitCheck::kStrict;
  state->channel = std::make_unique<Channel>(std::move(*stream), check_unit);
  sdk::PeerIdentity identity;
  identity.address = state->channel->peer();
  co_return identity;
}

Task<Result<void>> check_health(std::shared_ptr<State> state, SteadyTime deadline) {
  const Result<void> ready = co_await wait_for_turn(state, deadline);
  if (!ready) co_return std::unexpected(ready.error());
  const Turn turn(state);
  // The read nearly every device knows; one that refuses it has answered, which is what was asked.
  const Request request{FunctionCode::kReadHoldingRegisters, 0, 1, {}};
  auto reply = co_await state->channel->exchange(static_cast<std::uint8_t>(state->settings.unit_id),
                                                 request, deadline);
  if (!reply) co_return std::unexpected(note_loss(*state, std::move(reply.error())));
  co_return Result<void>{};
}

// A call that achieved nothing is an error; one that the framework polls answers every point, so
// that each has its own.
Result<Batch> to_batch(Scan scan, const ModbusOperation& operation) {
  const auto* read = std::get_if<ReadWork>(&operation.work());
  const bool nothing = std::ranges::all_of(scan.samples, [](const Sample& s) {
    return s.error && s.error->error_class == ErrorClass::kFunction && s.quality.is_bad();
  });
  const bool polled = read != nullptr && read->polled;
  if (nothing && !polled && !scan.samples.empty())
    return std::unexpected(*scan.samples.front().error);
  return Batch::of(std::move(scan));
}

Task<Result<Batch>> call(std::shared_ptr<State> state, const ModbusOperation& operation,
                         const Json& parameters, SteadyTime deadline) {
  const Result<void> ready = co_await wait_for_turn(state, deadline);
  if (!ready) co_return std::unexpected(ready.error());
  const Turn turn(state);
  const ScanLimits limits = state->limits(deadline);
  Result<Scan> scan;
  if (std::holds_alternative<ReadWork>(operation.work())) {
    scan = co_await read_points(*state->channel, state->plans, operation, limits,
                                state->context.clock);
  } else {
    scan =
        co_await write_points(*state->channel, operation, parameters, limits, state->context.clock);
  }
  if (!scan) co_return std::unexpected(note_loss(*state, std::move(scan.error())));
  co_return to_batch(std::move(*scan), operation);
}

class ModbusSession final : public sdk::Session {
 public:
  ModbusSession(const sdk::SessionContext& context, const sdk::Profile& profile)
      : state_(std::make_shared<State>(context, profile)) {}
  ~ModbusSession() override { abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return modbus::open(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override {
    return modbus::check_health(state_, deadline);
  }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return modbus::call(state_, static_cast<const ModbusOperation&>(operation), parameters,
                        deadline);
  }
  // Modbus has no goodbye: what was sent is answered or not, and the connection ends.
  Task<void> close(SteadyTime) override {
    end([](Channel& channel) { channel.close(); });
    co_return;
  }
  void abort() noexcept override {
    end([](Channel& channel) { channel.abort(); });
  }

 private:
  template <typename F>
  void end(F how) {
    if (std::exchange(state_->ended, true)) return;
    state_->dialling->cancel();
    if (state_->channel) how(*state_->channel);
  }
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context,
                                           const sdk::Profile& profile) {
  return std::make_unique<ModbusSession>(context, profile);
}

}  // namespace tributary::connectors::modbus
