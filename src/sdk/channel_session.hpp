// Sessions over an http::Channel (HTTP, SMTP). Connections are made for requests and kept as long
// as they serve: such a session is open when one request was answered, and healthy when another is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/channel.hpp"
#include "sdk/connector.hpp"

namespace tributary::sdk {

// Shared by a session and its running coroutines. Connectors derive theirs from it.
struct ChannelState {
  explicit ChannelState(const SessionContext& context_) : context(context_) {}
  virtual ~ChannelState() = default;

  SessionContext context;
  std::unique_ptr<http::Channel> channel;
  std::vector<Secret> secrets;  // taken out of what errors say
  std::string certificate;      // SHA-256 of what the server showed last
  bool opened = false;
  bool proven = false;  // open() has just asked what the first health check would ask
};

// The code "cancelled", for calls after the end.
Error session_over();
// A server may repeat what it was told.
Error without_secrets(const ChannelState& state, Error error);
// Opens the channel. Error: kInternal "http_unavailable" where there is no client.
Result<void> open_channel(ChannelState& state, http::ChannelOptions options);

// What is one connector's own.
struct ChannelKind {
  // The cheapest real request, with its answer judged.
  Task<Result<http::Answer>> (*probe)(std::shared_ptr<ChannelState> state, SteadyTime deadline,
                                      http::Watcher watcher);
  // What the server calls itself.
  std::string (*product)(const http::Answer& answer);
  // Whether a health check that found a kept connection ended asks once more, with a new one: where
  // the channel does not do so by itself.
  bool asks_again = false;
};

class ChannelSession : public Session {
 public:
  ~ChannelSession() override { state_->channel->abort(); }

  Task<Result<PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override;
  Task<Result<void>> check_health(SteadyTime deadline) override;
  Task<void> close(SteadyTime deadline) override;
  void abort() noexcept override { state_->channel->abort(); }

 protected:
  // `kind` outlives the session.
  ChannelSession(std::shared_ptr<ChannelState> state, const ChannelKind& kind)
      : state_(std::move(state)), kind_(kind) {}

 private:
  std::shared_ptr<ChannelState> state_;
  const ChannelKind& kind_;
};

}  // namespace tributary::sdk
