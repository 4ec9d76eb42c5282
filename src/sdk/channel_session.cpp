#include "sdk/channel_session.hpp"

namespace tributary::sdk {
namespace {

using Shared = std::shared_ptr<ChannelState>;

Task<Result<PeerIdentity>> open_session(Shared state, const ChannelKind& kind, SteadyTime deadline,
                                        net::StageObserver& stages) {
  if (std::exchange(state->opened, true)) co_return fail(session_over());
  stages.begin("resolve");
  http::Watcher watcher;
  watcher.stage = [&stages](std::string_view stage) { stages.begin(stage); };
  watcher.certificate = [state](const net::ShownCertificate& shown) {
    state->certificate = shown.certificate.sha256;
    state->context.events.certificate_shown(shown);
  };
  auto asking = kind.probe(state, deadline, std::move(watcher));
  const auto answer = co_await std::move(asking);
  if (!answer) {
    state->channel->abort();
    co_return fail(answer.error());
  }
  state->proven = true;
  PeerIdentity identity;
  identity.product = kind.product(*answer);
  identity.address = answer->peer;
  identity.certificate_sha256 = state->certificate;
  co_return identity;
}

bool has_ended(const Error& error) {
  return error.code == "connection_reset" || error.code == "connection_closed";
}

Task<Result<void>> check(Shared state, const ChannelKind& kind, SteadyTime deadline) {
  if (state->channel->is_over()) co_return fail(session_over());
  if (std::exchange(state->proven, false)) co_return Result<void>{};
  http::Watcher nobody;
  auto asking = kind.probe(state, deadline, std::move(nobody));
  auto answer = co_await std::move(asking);
  if (!answer && kind.asks_again && has_ended(answer.error()) && !state->channel->is_over()) {
    // The connection that was kept has ended meanwhile: whether there is a server a new one tells.
    http::Watcher again;
    auto asking_again = kind.probe(state, deadline, std::move(again));
    answer = co_await std::move(asking_again);
  }
  if (!answer) co_return fail(answer.error());
  co_return Result<void>{};
}

Task<void> hang_up(Shared state) {
  state->channel->abort();
  co_return;
}

}  // namespace

Error session_over() {
  return Error(ErrorClass::kCancelled, "cancelled", "The session is over.");
}

Error without_secrets(const ChannelState& state, Error error) {
  constexpr std::size_t kShortest = 4;
  for (const Secret& secret : state.secrets) {
    const std::string_view text = secret.reveal();
    if (text.size() < kShortest) continue;
    for (auto at = error.message.find(text); at != std::string::npos;
         at = error.message.find(text, at))
      error.message.replace(at, text.size(), "***");
  }
  return error;
}

Result<void> open_channel(ChannelState& state, http::ChannelOptions options) {
  if (state.context.http == nullptr) {
    return fail(ErrorClass::kInternal, "http_unavailable",
                "This hub was built without HTTP and SMTP.");
  }
  state.channel = state.context.http->open_channel(state.context.network, std::move(options));
  return {};
}

Task<Result<PeerIdentity>> ChannelSession::open(SteadyTime deadline, net::StageObserver& stages) {
  return open_session(state_, kind_, deadline, stages);
}
Task<Result<void>> ChannelSession::check_health(SteadyTime deadline) {
  return check(state_, kind_, deadline);
}
Task<void> ChannelSession::close(SteadyTime) {
  return hang_up(state_);
}

}  // namespace tributary::sdk
