#include "connectors/modbus/src/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "connectors/modbus/settings.hpp"
#include "connectors/modbus/src/commands.hpp"
#include "connectors/modbus/src/connecting.hpp"
#include "connectors/modbus/src/identification.hpp"
#include "connectors/modbus/src/scan.hpp"
#include "connectors/modbus/src/writing.hpp"
#include "sdk/points.hpp"

namespace tributary::connectors::modbus {
namespace {

// What a session and its running operations share, so that the session may go while one still has
// to resume.
struct State {
  State(const sdk::SessionContext& context_, const sdk::Profile& profile_,
        std::shared_ptr<Shared> shared_)
      : context(context_),
        connection_id(profile_.connection_id),
        settings(ConnectionSettings::from_json(profile_.settings)),
        keepalive(profile_.keepalive),
        shared(std::move(shared_)) {}

  std::uint8_t own_unit() const { return static_cast<std::uint8_t>(settings.unit_id); }
  UnitPolicy unit_policy(std::size_t patience) const;

  sdk::SessionContext context;
  std::string connection_id;
  ConnectionSettings settings;
  net::Keepalive keepalive;
  std::shared_ptr<Shared> shared;
  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  std::unique_ptr<Link> link;
  LivePlans plans;
  bool ended = false;  // by abort() or close()
  std::optional<Error> lost;
};

UnitPolicy State::unit_policy(std::size_t patience) const {
  UnitPolicy policy;
  policy.known = shared->units.known(connection_id);
  policy.known.set(own_unit());
  policy.rest_after = static_cast<std::size_t>(settings.rest_after);
  policy.rest = std::chrono::milliseconds(settings.rest_ms);
  policy.patience = patience;
  return policy;
}

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The hub ended the session."};
}

Result<void> ready(const State& state) {
  if (state.ended) return std::unexpected(cancelled());
  if (state.lost) return std::unexpected(*state.lost);
  if (!state.link) return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  return {};
}

// Keeps what ended the session, so that a later call says why.
Error note_loss(State& state, Error error) {
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return ended;
  }
  if (is_connection_error(error.error_class) && !state.lost) {
    state.lost = error;
    state.lost->outcome_unknown = false;
    state.link->channel().abort();
  }
  return error;
}

// Who answers; a device that does not know the question has none of it.
Task<Result<void>> identify(std::shared_ptr<State> state, SteadyTime deadline,
                            sdk::PeerIdentity& identity) {
  auto objects = co_await read_identification(*state->link, state->own_unit(), deadline);
  if (!objects && objects.error().error_class != ErrorClass::kFunction)
    co_return std::unexpected(note_loss(*state, std::move(objects.error())));
  if (!objects) co_return Result<void>{};
  for (auto& [id, text] : *objects) {
    if (id == kVendorName) identity.vendor = text;
    if (id == kProductCode || id == kProductName) identity.product = text;
    if (id == kRevision) identity.version = text;
  }
  co_return Result<void>{};
}

Task<Result<sdk::PeerIdentity>> open(std::shared_ptr<State> state, SteadyTime deadline,
                                     net::StageObserver& stages) {
  if (state->ended) co_return std::unexpected(cancelled());
  const std::weak_ptr<State> weak = state;
  std::function<void(std::uint8_t)> answered_late = [weak](std::uint8_t unit) {
    if (const auto self = weak.lock(); self && self->link) self->link->units().answered(unit);
  };
  Opening opening{state->context,  state->settings,      state->keepalive,
                  state->dialling, state->shared->lines, answered_late};
  auto channel = co_await open_channel(opening, deadline, stages);
  if (state->ended) {
    if (channel) (*channel)->abort();
    co_return std::unexpected(cancelled());
  }
  if (!channel) co_return std::unexpected(std::move(channel.error()));
  const std::size_t patience = (*channel)->patience();
  const LinkOptions options{
      std::chrono::milliseconds(state->settings.request_timeout_ms),
      std::chrono::milliseconds(state->settings.request_delay_ms),
      state->settings.read_functions == ConnectionSettings::ReadFunctions::kSwapped};
  state->link =
      std::make_unique<Link>(*std::move(channel), state->context.executor, state->context.timers,
                             state->context.clock, options, state->unit_policy(patience));
  sdk::PeerIdentity identity;
  identity.address = state->link->channel().peer();
  if (state->settings.identify) {
    stages.begin("protocol");
    const auto known = co_await identify(state, deadline, identity);
    if (!known) co_return std::unexpected(known.error());
  }
  co_return identity;
}

// The read nearly every device knows; one that refuses it has answered, which is what was asked.
// Any unit's answer will do: one that is switched off must not take the others with it.
Task<Result<void>> check_health(std::shared_ptr<State> state, SteadyTime deadline) {
  if (const auto usable = ready(*state); !usable) co_return std::unexpected(usable.error());
  const Request request{
      read_function(Area::kHoldingRegisters, state->link->options().swapped_reads), 0, 1, {}};
  Link::Buffer buffer;
  const std::vector<std::uint8_t> units = state->link->units().candidates();
  std::optional<Error> silence;
  for (const std::uint8_t unit : units) {
    if (silence && state->link->now() >= deadline) break;
    auto reply = co_await state->link->ask(unit, request, deadline, false, buffer);
    // A gateway that says it cannot reach the unit is there itself.
    if (reply) co_return Result<void>{};
    if (reply.error().error_class != ErrorClass::kFunction)
      co_return std::unexpected(note_loss(*state, std::move(reply.error())));
    silence = std::move(reply.error());
  }
  Error error = silence ? std::move(*silence) : cancelled();
  error.error_class = ErrorClass::kTransient;
  co_return std::unexpected(note_loss(*state, std::move(error)));
}

bool is_polled(const ModbusOperation& operation) {
  const auto* read = std::get_if<ReadWork>(&operation.work());
  return read != nullptr && read->polled;
}

Task<Result<Batch>> call(std::shared_ptr<State> state, const ModbusOperation& operation,
                         const Json& parameters, SteadyTime deadline) {
  if (const auto usable = ready(*state); !usable) co_return std::unexpected(usable.error());
  Link& link = *state->link;
  if (const auto* work = std::get_if<DiagnoseWork>(&operation.work())) {
    auto record = co_await diagnose(link, work->unit, deadline);
    if (!record) co_return std::unexpected(note_loss(*state, std::move(record.error())));
    std::vector<Record> records;
    records.push_back(*std::move(record));
    co_return Batch::of(std::move(records));
  }
  Result<Scan> scan;
  if (std::holds_alternative<ReadWork>(operation.work())) {
    scan = co_await read_points(link, state->plans, operation, deadline);
  } else if (std::holds_alternative<WriteWork>(operation.work())) {
    scan = co_await write_points(link, operation, parameters, deadline);
  } else if (std::holds_alternative<ExchangeWork>(operation.work())) {
    scan = co_await exchange_points(link, operation, parameters, deadline);
  } else {
    scan = co_await read_fifo(link, operation, deadline);
  }
  if (!scan) co_return std::unexpected(note_loss(*state, std::move(scan.error())));
  co_return sdk::answer_of(std::move(*scan), is_polled(operation));
}

class ModbusSession final : public sdk::Session {
 public:
  ModbusSession(const sdk::SessionContext& context, const sdk::Profile& profile,
                std::shared_ptr<Shared> shared)
      : state_(std::make_shared<State>(context, profile, std::move(shared))) {}
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
    if (state_->link) how(state_->link->channel());
  }
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<sdk::Session> make_session(const sdk::SessionContext& context,
                                           const sdk::Profile& profile,
                                           std::shared_ptr<Shared> shared) {
  return std::make_unique<ModbusSession>(context, profile, std::move(shared));
}

}  // namespace tributary::connectors::modbus
