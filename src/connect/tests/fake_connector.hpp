// A connector whose peer does what the test says: the other side of the actor in tests.
#pragma once

#include <deque>
#include <map>

#include "connect/manager.hpp"
#include "runtime/event.hpp"
#include "sdk/registry.hpp"

namespace tributary::connect::testing_support {

// The peer. One per test; touched by the sessions' thread, and by the test when nothing runs.
struct FakePeer {
  std::deque<Error> open_errors;  // the next opens fail with these, then they succeed
  bool mute = false;              // open, calls and health checks answer nothing until the deadline
  std::optional<Error> health_error;
  std::optional<Error> call_error;  // all calls fail with it
  bool hold_calls = false;          // calls wait for release()
  std::optional<Error> subscribe_error;
  std::map<std::string, double> points{{"speed", 1.0}, {"level", 2.0}};
  Duration call_time{};

  int opens = 0;
  int live = 0;  // sessions that are open
  int most_live = 0;
  int pending = 0;  // opens under way
  int closes = 0;
  int calls = 0;
  int health_checks = 0;
  int inside = 0;
  int most_inside = 0;
  std::vector<std::string> order;  // of calls, by function type
  std::string password_seen;
  std::optional<net::ShownCertificate> certificate;  // shown by each open
  std::vector<std::string> trusted_seen;             // PEM, of the last profile
  sdk::Sink* sink = nullptr;
  sdk::SessionEvents* events = nullptr;
  std::vector<std::shared_ptr<Event>> held;

  void release() {
    hold_calls = false;
    for (auto& event : std::exchange(held, {})) event->set();
  }
};

struct FakeOperation final : sdk::Operation {
  std::string type;
  Json settings;
  std::shared_ptr<const PointNames> names;
  std::shared_ptr<const PointNames> points() const override { return names; }
};

class FakeSession final : public sdk::Session, public sdk::Subscriber {
 public:
  FakeSession(const sdk::SessionContext& context, FakePeer& peer, std::string password)
      : context_(context),
        peer_(peer),
        password_(std::move(password)),
        ended_(std::make_shared<Event>(context.executor)) {}
  ~FakeSession() override { leave(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver& stages) override {
    ++peer_.opens;
    ++peer_.pending;
    peer_.password_seen = password_;
    stages.begin("tcp");
    stages.begin("protocol");
    // A real peer never answers within the same turn of the loop.
    const bool aborted =
        co_await wait(peer_.mute ? deadline : context_.timers.now() + std::chrono::milliseconds{1});
    --peer_.pending;
    if (aborted) co_return cancelled();
    if (peer_.mute) co_return timeout();
    if (peer_.certificate) context_.events.certificate_shown(*peer_.certificate);
    if (!peer_.open_errors.empty()) {
      Error error = std::move(peer_.open_errors.front());
      peer_.open_errors.pop_front();
      co_return fail(std::move(error));
    }
    open_ = true;
    peer_.events = &context_.events;
    peer_.most_live = std::max(peer_.most_live, ++peer_.live);
    sdk::PeerIdentity identity;
    identity.product = "Fake PLC";
    identity.address = "192.0.2.1:502";
    co_return identity;
  }

  Task<Result<void>> check_health(SteadyTime deadline) override {
    ++peer_.health_checks;
    if (peer_.mute) {
      const bool aborted = co_await wait(deadline);
      if (aborted) co_return cancelled();
      co_return timeout();
    }
    if (peer_.health_error) co_return fail(*peer_.health_error);
    co_return Result<void>{};
  }

  Task<Result<Batch>> call(const sdk::Operation& operation, const Json&,
                           SteadyTime deadline) override {
    const auto& fake = static_cast<const FakeOperation&>(operation);
    ++peer_.calls;
    peer_.order.push_back(fake.type);
    peer_.most_inside = std::max(peer_.most_inside, ++peer_.inside);
    bool aborted = false;
    if (peer_.hold_calls) {
      auto released = std::make_shared<Event>(context_.executor);
      peer_.held.push_back(released);
      held_.push_back(released);
      co_await released->wait();
      aborted = ended_->is_set();
    } else if (peer_.mute || peer_.call_time > Duration::zero()) {
      const SteadyTime until = peer_.mute ? deadline : context_.timers.now() + peer_.call_time;
      aborted = co_await wait(until);
    }
    --peer_.inside;
    if (aborted) co_return cancelled();
    if (peer_.mute) co_return timeout();
    if (peer_.call_error) co_return fail(*peer_.call_error);
    Scan scan{fake.names, context_.clock.utc_now(), {}};
    for (std::uint32_t i = 0; i < fake.names->size(); ++i) {
      scan.samples.push_back(
          {i, kGood, Value(peer_.points[(*fake.names)[i]]), std::nullopt, nullptr});
    }
    co_return Batch::of(std::move(scan));
  }

  Task<void> close(SteadyTime) override {
    ++peer_.closes;
    leave();
    co_return;
  }

  void abort() noexcept override {
    leave();
    ended_->set();
    for (auto& event : held_) event->set();
  }

  Task<Result<std::unique_ptr<sdk::Subscription>>> subscribe(const sdk::Operation&, sdk::Sink& sink,
                                                             SteadyTime) override {
    if (peer_.subscribe_error) co_return fail(*peer_.subscribe_error);
    peer_.sink = &sink;
    struct Handle final : sdk::Subscription {
      explicit Handle(FakePeer& peer_) : peer(peer_) {}
      Task<void> cancel(SteadyTime) override {
        peer.sink = nullptr;
        co_return;
      }
      FakePeer& peer;
    };
    std::unique_ptr<sdk::Subscription> handle = std::make_unique<Handle>(peer_);
    co_return handle;
  }

 private:
  Task<bool> wait(SteadyTime until) { return ended_->wait_until(context_.timers, until); }
  void leave() noexcept {
    if (std::exchange(open_, false)) --peer_.live;
    if (peer_.events == &context_.events) peer_.events = nullptr;
  }
  static std::unexpected<Error> cancelled() {
    return fail(ErrorClass::kCancelled, "cancelled", "aborted");
  }
  static std::unexpected<Error> timeout() {
    return fail(ErrorClass::kTransient, "timeout", "no answer");
  }

  sdk::SessionContext context_;
  FakePeer& peer_;
  std::string password_;
  std::shared_ptr<Event> ended_;
  std::vector<std::shared_ptr<Event>> held_;
  bool open_ = false;
};

class FakeConnector final : public sdk::Connector {
 public:
  explicit FakeConnector(FakePeer& peer) : peer_(peer) {}

  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile&, const sdk::FunctionSpec& function) const override {
    auto operation = std::make_shared<FakeOperation>();
    operation->type = function.type;
    operation->settings = function.settings;
    auto names = std::make_shared<PointNames>();
    const Json& points = get_member(function.settings, "points");
    if (points.is_array()) {
      for (const auto& point : points.array_range()) names->push_back(point.as<std::string>());
    }
    if (std::ranges::find(*names, "impossible") != names->end()) {
      return fail(ErrorClass::kFunction, "no_such_point", "There is no point impossible.", {},
                  "/settings/points/0");
    }
    operation->names = names;
    return operation;
  }

  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    if (get_string(profile.settings, "host") == "forbidden") {
      return fail(ErrorClass::kConfiguration, "forbidden_host", "This host is not allowed.", {},
                  "/settings/host");
    }
    const Secret* password = profile.secret("password");
    peer_.trusted_seen = profile.trusted_certificates;
    return std::make_unique<FakeSession>(
        context, peer_, password ? std::string(password->reveal()) : std::string());
  }

 private:
  FakePeer& peer_;
};

inline constexpr std::string_view kManifest = R"({
  "type": "fake", "title": "Fake", "category": "Test", "family": "fieldDevice", "summary": "A peer that does as told.",
  "capabilities": ["read", "write", "subscribe"], "library": "none", "licence": "Apache-2.0", "maxConcurrentCalls": 1,
  "uniqueSettings": ["host", "username"]})";
inline constexpr std::string_view kConnectionSchema = R"({
  "type": "object", "required": ["host"],
  "properties": {
    "host": {"type": "string", "minLength": 1, "title": "Host"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 502, "title": "Port"},
    "username": {"type": "string", "title": "User"},
    "password": {"type": "string", "x-secret": true, "title": "Password"}}})";
inline constexpr std::string_view kReadSchema = R"({
  "type": "object", "x-function": "fake.read", "x-kind": "read", "title": "Read", "description": "Reads points.",
  "required": ["points"], "properties": {
    "points": {"type": "array", "items": {"type": "string"}, "minItems": 1, "title": "Points"},
    "count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1, "title": "Count"}}})";
inline constexpr std::string_view kWriteSchema = R"({
  "type": "object", "x-function": "fake.write", "x-kind": "write", "title": "Write", "description": "Writes points.",
  "required": ["points"], "properties": {
    "points": {"type": "array", "items": {"type": "string"}, "minItems": 1, "title": "Points"}}})";
inline constexpr std::string_view kPollSchema = R"({
  "type": "object", "x-function": "fake.subscribe", "x-kind": "subscribe", "x-polled": true, "title": "Poll",
  "description": "Polls points.", "required": ["points"], "properties": {
    "points": {"type": "array", "items": {"type": "string"}, "minItems": 1, "title": "Points"},
    "intervalMs": {"type": "integer", "minimum": 10, "default": 1000, "title": "Interval"},
    "reportOn": {"type": "string", "enum": ["change", "always"], "default": "change", "title": "Report on"},
    "deadband": {"type": "number", "minimum": 0, "default": 0, "title": "Deadband"},
    "deadbandType": {"type": "string", "enum": ["absolute", "percent"], "default": "absolute", "title": "Deadband is"}}})";
inline constexpr std::string_view kListenSchema = R"({
  "type": "object", "x-function": "fake.listen", "x-kind": "subscribe", "title": "Listen", "description": "Waits for points.",
  "required": ["points"], "properties": {
    "points": {"type": "array", "items": {"type": "string"}, "minItems": 1, "title": "Points"}}})";

inline void add_fake(sdk::Registry& registry, FakePeer& peer) {
  sdk::Resources resources{kManifest,
                           kConnectionSchema,
                           {kReadSchema, kWriteSchema, kPollSchema, kListenSchema},
                           "# Fake"};
  auto added = registry.add(resources, std::make_unique<FakeConnector>(peer));
  if (!added) throw std::logic_error(added.error().message);
}

// A network that nobody uses.
class NoNetwork final : public net::Network {
 public:
  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint&, SteadyTime) override {
    co_return fail(ErrorClass::kName, "no_such_host", "no network in this test");
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint&, const net::Keepalive&,
                                                  SteadyTime, net::StageObserver&) override {
    co_return fail(ErrorClass::kTransient, "unreachable", "no network in this test");
  }
};

}  // namespace tributary::connect::testing_support
