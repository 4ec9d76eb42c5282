#include "connect/diagnosis.hpp"

#include "connect/live_session.hpp"

namespace tributary::connect {

namespace {

// Times the stages as the session announces them.
class StageClock final : public net::StageObserver {
 public:
  explicit StageClock(Timers& timers) : timers_(timers) {}

  void begin(std::string_view stage) override {
    finish(std::nullopt);
    stages_.push_back({std::string(stage), false, {}, std::nullopt});
    begun_ = timers_.now();
  }
  // The stage under way is over.
  void finish(std::optional<Error> error) {
    if (stages_.empty()) return;
    StageResult& stage = stages_.back();
    stage.duration = timers_.now() - begun_;
    stage.ok = !error;
    if (error) stage.error = explain(*std::move(error), stage.stage);
  }
  std::vector<StageResult> take() { return std::move(stages_); }
  bool empty() const { return stages_.empty(); }

 private:
  Timers& timers_;
  std::vector<StageResult> stages_;
  SteadyTime begun_;
};

struct Key {
  std::string_view code;
  std::string_view hint;
  std::string_view pointer;
};

bool says(const Error& error, std::string_view word) {
  return error.code.find(word) != std::string::npos;
}

Key key_of(const Error& error, std::string_view stage) {
  switch (error.error_class) {
    case ErrorClass::kIdentity:
      return {"invalid_auth", "Check the user name and the password.", "/secrets"};
    case ErrorClass::kTrust:
      return {"untrusted_certificate",
              "Trust the certificate if it is the right one, or correct the host name.",
              "/settings/host"};
    case ErrorClass::kName:
      return {"cannot_connect", "Check the spelling of the host name and the name server.",
              "/settings/host"};
    default:
      break;
  }
  if (says(error, "permission") || says(error, "denied") || says(error, "not_authorized")) {
    return {"permission_denied", "The user is known but may not do this: ask for the right.", ""};
  }
  if (stage == "resolve" || stage == "tcp") {
    return {"cannot_connect",
            "Is the system switched on, and does a firewall allow this address and port?",
            "/settings/host"};
  }
  if (says(error, "timeout")) {
    return {"timeout",
            "Something accepted the connection but does not answer: check port, protocol and unit.",
            "/settings/port"};
  }
  if (error.error_class == ErrorClass::kBusy) {
    return {"cannot_connect",
            "The system takes no more connections now: close another one or try again later.", ""};
  }
  return {"wrong_port_or_protocol",
          "What answers there does not speak this protocol: check port and protocol version.",
          "/settings/port"};
}

}  // namespace

Error explain(Error error, std::string_view stage) {
  const Key key = key_of(error, stage);
  error.code = key.code;
  if (error.hint.empty()) error.hint = key.hint;
  if (error.pointer.empty()) error.pointer = key.pointer;
  return error;
}

Task<Diagnosis> diagnose(std::shared_ptr<const ConnectionConfig> config, sdk::Profile profile,
                         Executor executor, Clock& clock, Timers& timers, net::Network& network,
                         http::Client* http) {
  StageClock stages(timers);
  Diagnosis diagnosis;
  const LiveSession::Services services{executor, clock, timers, network, 0, http};
  // A loss while testing shows as the error of the step that is under way.
  auto live = std::make_shared<LiveSession>(0, services, 1, [](std::uint64_t, Error) {});
  live->on_certificate(
      [&diagnosis](const net::ShownCertificate& shown) { diagnosis.shown = shown; });
  Result<void> outcome = live->make(*config->type->connector, profile);
  if (outcome) {
    const SteadyTime open_deadline = timers.now() + config->policy.connect_timeout;
    Result<sdk::PeerIdentity> peer = co_await live->session().open(open_deadline, stages);
    if (!peer) outcome = fail(std::move(peer.error()));
  }
  if (outcome) {
    stages.begin("firstRead");
    const SteadyTime read_deadline = timers.now() + config->policy.request_timeout;
    outcome = co_await live->check_health(read_deadline);
  }
  if (stages.empty()) stages.begin("settings");
  diagnosis.success = outcome.has_value();
  stages.finish(outcome ? std::nullopt : std::optional<Error>(outcome.error()));
  diagnosis.stages = stages.take();
  const SteadyTime close_deadline = timers.now() + lifecycle::kHardClose * 2;
  co_await live->close(close_deadline);
  live->abort();
  co_return diagnosis;
}

}  // namespace tributary::connect
