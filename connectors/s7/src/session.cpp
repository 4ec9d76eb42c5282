#include "connectors/s7/src/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "connectors/s7/src/channel.hpp"
#include "connectors/s7/src/operation.hpp"
#include "connectors/s7/src/scan.hpp"
#include "connectors/s7/src/system.hpp"
#include "connectors/s7/src/writing.hpp"
#include "runtime/event.hpp"
#include "sdk/points.hpp"

namespace tributary::connectors::s7 {
namespace {

// A CPU closes within a cycle or two when it was told goodbye; longer is not waited.
constexpr auto kGoodbye = std::chrono::milliseconds(300);

// "03.01" or "0301".
std::uint16_t parse_tsap(std::string text) {
  std::erase(text, '.');
  std::uint16_t tsap = 0;
  std::from_chars(text.data(), text.data() + text.size(), tsap, 16);
  return tsap;
}

struct Tsaps {
  std::uint16_t local = 0;
  std::uint16_t remote = 0;
};
Tsaps tsaps_of(const ConnectionSettings& settings) {
  if (settings.addressing == ConnectionSettings::Addressing::kTsap)
    return {parse_tsap(settings.local_tsap), parse_tsap(settings.remote_tsap)};
  std::int64_t type = 1;
  if (settings.connection_type == ConnectionSettings::ConnectionType::kOp) type = 2;
  if (settings.connection_type == ConnectionSettings::ConnectionType::kBasic) type = 3;
  return {0x0100, static_cast<std::uint16_t>((type << 8) | (settings.rack << 5) | settings.slot)};
}

// What a session and its running operations share, so that the session may go while one still has
// to resume.
struct State {
  State(const sdk::SessionContext& context_, const sdk::Profile& profile)
      : context(context_),
        settings(ConnectionSettings::from_json(profile.settings)),
        keepalive(profile.keepalive) {
    if (const Secret* secret = profile.secret("password")) password = *secret;
  }

  CallLimits limits(SteadyTime deadline) const {
    return {limits_of(settings, channel->pdu_size()), deadline,
            std::chrono::milliseconds(settings.request_timeout_ms)};
  }
  SteadyTime request_deadline(SteadyTime deadline) const {
    return std::min(deadline, context.clock.steady_now() +
                                  std::chrono::milliseconds(settings.request_timeout_ms));
  }

  sdk::SessionContext context;
  ConnectionSettings settings;
  net::Keepalive keepalive;
  Secret password;
  std::shared_ptr<net::DialCancel> dialling = std::make_shared<net::DialCancel>();
  std::unique_ptr<Channel> channel;
  LivePlans plans;
  bool ended = false;  // by abort() or close()
  std::optional<Error> lost;
  // Set while a call is running that is made of several requests: the next one waits for it. Writes
  // and health checks do not: they take their turn between two requests.
  std::shared_ptr<Event> running;
};

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "The hub ended the session."};
}

struct Running {
  explicit Running(std::shared_ptr<State> state_) : state(std::move(state_)) {
    state->running = std::make_shared<Event>(state->context.executor);
  }
  ~Running() { std::exchange(state->running, nullptr)->set(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  std::shared_ptr<State> state;
};

Result<void> check_open(const State& state) {
  if (state.ended) return std::unexpected(cancelled());
  if (state.lost) return std::unexpected(*state.lost);
  if (!state.channel) return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  return {};
}

Task<Result<void>> wait_for_others(std::shared_ptr<State> state, SteadyTime deadline) {
  while (state->running) {
    auto running = state->running;
    const bool freed = co_await running->wait_until(state->context.timers, deadline);
    if (!freed) {
      co_return fail(ErrorClass::kFunction, "timeout",
                     "Another request to this CPU was still running.",
                     "Give the request more time, or ask for less at once.");
    }
  }
  co_return check_open(*state);
}

// Keeps what ended the session, so that a later call says why.
Error note_loss(State& state, Error error) {
  if (state.ended) {
    Error ended = cancelled();
    ended.outcome_unknown = error.outcome_unknown;
    return ended;
  }
  // What another call found out ends this one too.
  if (state.lost && error.error_class == ErrorClass::kCancelled) {
    const bool unknown = error.outcome_unknown;
    error = *state.lost;
    error.outcome_unknown = unknown;
    return error;
  }
  if (is_connection_error(error.error_class)) {
    state.lost = error;
    state.lost->outcome_unknown = false;
    state.channel->abort();
  }
  return error;
}

// Both handshakes, the password, and who is there.
Task<Result<CpuInfo>> introduce(std::shared_ptr<State> state, SteadyTime deadline,
                                net::StageObserver& stages) {
  Channel& channel = *state->channel;
  const Tsaps tsaps = tsaps_of(state->settings);
  stages.begin("protocol");
  auto connected = co_await channel.connect(tsaps.local, tsaps.remote, deadline);
  if (!connected) co_return std::unexpected(std::move(connected.error()));
  const auto wanted = static_cast<std::uint16_t>(state->settings.pdu_size);
  auto negotiated = co_await channel.negotiate(wanted, deadline);
  if (!negotiated) co_return std::unexpected(std::move(negotiated.error()));
  if (!state->password.empty()) {
    stages.begin("login");
    auto unlocked = co_await unlock(channel, state->password, deadline);
    if (!unlocked) {
      Error error = std::move(unlocked.error());
      if (error.error_class == ErrorClass::kFunction) {  // S7-1200 and S7-1500 have no such thing
        error.error_class = ErrorClass::kConfiguration;
        error.hint =
            "Clear the password of this connection: this CPU takes none over this protocol.";
        error.pointer = "/secrets/password";
      }
      co_return std::unexpected(std::move(error));
    }
  }
  co_return co_await read_info(channel, deadline);
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
      error.hint =
          "Is this the address of the CPU or of its communication processor? S7 CPUs listen "
          "at port 102.";
    co_return std::unexpected(std::move(error));
  }
  state->channel =
      std::make_unique<Channel>(std::move(*stream), state->context.executor, state->context.timers);
  auto info = co_await introduce(state, deadline, stages);
  if (!info) {
    state->channel->abort();  // nothing stays open, and the CPU's connection is free at once
    if (state->ended) co_return std::unexpected(cancelled());
    co_return std::unexpected(std::move(info.error()));
  }
  if (state->ended) co_return std::unexpected(cancelled());
  sdk::PeerIdentity identity;
  identity.vendor = "Siemens";
  identity.product = info->module.empty() ? info->order_number
                     : info->order_number.empty()
                         ? info->module
                         : fmt::format("{} ({})", info->module, info->order_number);
  identity.version = info->version;
  identity.address = state->channel->peer();
  co_return identity;
}

// The read that every CPU knows; one that refuses it has answered, which is what was asked.
Task<Result<void>> check_health(std::shared_ptr<State> state, SteadyTime deadline) {
  const Result<void> ready = check_open(*state);
  if (!ready) co_return std::unexpected(ready.error());
  auto turn = co_await state->channel->take_turn(Urgency::kOther, deadline);
  if (!turn) co_return std::unexpected(std::move(turn.error()));
  const Item item{Area::kMerkers, 0, 0, 1, -1};
  ItemReplies replies;
  std::uint16_t refused = 0;
  auto read = co_await read_items(*state->channel, std::span(&item, 1), deadline, replies, refused);
  if (!read) co_return std::unexpected(note_loss(*state, std::move(read.error())));
  co_return Result<void>{};
}

bool is_polled(const S7Operation& operation) {
  const auto* read = std::get_if<ReadWork>(&operation.work());
  return read != nullptr && read->polled;
}

Task<Result<Batch>> call_variables(std::shared_ptr<State> state, const S7Operation& operation,
                                   const Json& parameters, SteadyTime deadline) {
  const CallLimits limits = state->limits(deadline);
  Result<Scan> scan;
  if (std::holds_alternative<ReadWork>(operation.work())) {
    scan = co_await read_variables(*state->channel, state->plans, operation, limits,
                                   state->context.clock);
  } else {
    scan = co_await write_variables(*state->channel, operation, parameters, limits,
                                    state->context.clock);
  }
  if (!scan) co_return std::unexpected(note_loss(*state, std::move(scan.error())));
  co_return sdk::answer_of(std::move(*scan), is_polled(operation));
}

Task<Result<Batch>> call_cpu(std::shared_ptr<State> state, const S7Operation& operation,
                             SteadyTime deadline) {
  Result<Json> record;
  if (const auto* question = std::get_if<SystemWork>(&operation.work())) {
    record = co_await answer(*state->channel, question->question, deadline);
  } else {
    const auto& work = std::get<ControlWork>(operation.work());
    record = co_await control(*state->channel, work, state->context.clock.utc_now(),
                              state->request_deadline(deadline));
  }
  if (!record) co_return std::unexpected(note_loss(*state, std::move(record.error())));
  std::vector<Record> records;
  records.push_back(std::move(*record));
  co_return Batch::of(std::move(records));
}

Task<Result<Batch>> call(std::shared_ptr<State> state, const S7Operation& operation,
                         const Json& parameters, SteadyTime deadline) {
  if (std::holds_alternative<WriteWork>(operation.work())) {
    const Result<void> open = check_open(*state);
    if (!open) co_return std::unexpected(open.error());
    co_return co_await call_variables(state, operation, parameters, deadline);
  }
  const Result<void> ready = co_await wait_for_others(state, deadline);
  if (!ready) co_return std::unexpected(ready.error());
  const Running running(state);
  if (operation.points()) co_return co_await call_variables(state, operation, parameters, deadline);
  co_return co_await call_cpu(state, operation, deadline);
}

// Waits until the CPU has closed too: a session that follows finds the connection free.
Task<void> close(std::shared_ptr<State> state, SteadyTime deadline) {
  if (std::exchange(state->ended, true)) co_return;
  state->dialling->cancel();
  if (!state->channel) co_return;
  if (state->lost || state->channel->busy()) {
    state->channel->abort();
    co_return;
  }
  const SteadyTime limit = std::min(deadline, state->context.clock.steady_now() + kGoodbye);
  co_await state->channel->leave(limit);
}

class S7Session final : public sdk::Session {
 public:
  S7Session(const sdk::SessionContext& context, const sdk::Profile& profile)
      : state_(std::make_shared<State>(context, profile)) {}
  ~S7Session() override { abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    return s7::open(state_, deadline, stages);
  }
  Task<Result<void>> check_health(SteadyTime deadline) override {
    return s7::check_health(state_, deadline);
  }
  Task<Result<Batch>> call(const sdk::Operation& operation, const Json& parameters,
                           SteadyTime deadline) override {
    return s7::call(state_, static_cast<const S7Operation&>(operation), parameters, deadline);
  }
  Task<void> close(SteadyTime deadline) override { return s7::close(state_, deadline); }
  void abort() noexcept override {
    state_->ended = true;
    state_->dialling->cancel();
    if (state_->channel) state_->channel->abort();
  }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                   const sdk::Profile& profile) {
  constexpr std::size_t kLongestPassword = 8;
  const Secret* password = profile.secret("password");
  if (password != nullptr && password->reveal().size() > kLongestPassword) {
    return fail(ErrorClass::kConfiguration, "too_long",
                "Passwords of S7 CPUs have at most 8 characters.", "", "/secrets/password");
  }
  return std::make_unique<S7Session>(context, profile);
}

}  // namespace tributary::connectors::s7
