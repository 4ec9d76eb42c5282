// postgresql.listen: what NOTIFY announces, from a database session of its own to one sink. A sink
// that is slow stops the reading of that session alone, never the calls of the connection.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "connectors/postgresql/src/session.hpp"

namespace tributary::connectors::postgresql {

// Bounds of what was read and not yet accepted by the sink. Reading stops at either; what one read
// of the socket had brought (some 16 KiB) is still kept.
constexpr std::size_t kMaxWaitingNotifications = 2000;
constexpr std::size_t kMaxWaitingBytes = 8U << 20;
constexpr std::size_t kMaxBatchNotifications = 500;

struct Notification {
  std::string channel;
  std::string payload;
  int process_id = 0;  // of the session that said it, at the server
  std::size_t bytes() const { return sizeof(Notification) + channel.size() + payload.size(); }
};

// {"channel", "payload", "processId"} and, when a payload is not what it should be, "error" {code,
// message} with the payload as text. An empty payload of JSON is null.
Record to_record(const Notification& notification, ListenSettings::Format format);

struct Listener : Line {
  using Line::Line;

  ListenSettings::Format format = ListenSettings::Format::kJson;
  std::deque<Notification> waiting;
  std::size_t bytes = 0;           // of what waits and of what is being delivered
  std::size_t delivering = 0;      // notifications that the sink has not accepted yet
  bool subscribed = false;         // the pump runs
  bool finished = false;           // the pump has ended
  bool probing = false;            // a question to the server is under way
  std::shared_ptr<Event> changed;  // something came, or was delivered, or ended

  bool full() const {
    return waiting.size() + delivering >= kMaxWaitingNotifications || bytes >= kMaxWaitingBytes;
  }
  void wake() {
    if (changed) std::exchange(changed, nullptr)->set();
  }
};

// Opens a session, listens there and delivers to `sink`, until the subscription is cancelled or the
// session of `state` ends. Errors: kFunction with the code of what went wrong (there may be no room
// for one more session); kCancelled.
Task<Result<std::unique_ptr<sdk::Subscription>>> run_listen(Shared state, ListenSettings settings,
                                                            sdk::Sink& sink, SteadyTime deadline);

// Asks a listener's session for an answer and comes back at once; when there is none, the loss is
// told. Asks nothing while the sink keeps it from reading: the answer would wait behind what is not
// read.
void probe(const Shared& state, const std::shared_ptr<Listener>& listener);

// Nothing is delivered any more. `at_once`: without a goodbye to the server.
void end_listeners(State& state, bool at_once) noexcept;

}  // namespace tributary::connectors::postgresql
