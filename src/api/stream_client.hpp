// One client of live events: what it listens to, and what waits to be sent to it. Bounded: a client
// that does not keep up gets a gap and a new snapshot instead of a longer queue. Lives on the
// control executor.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "api/http.hpp"
#include "api/stream_topic.hpp"
#include "api/values_feed.hpp"
#include "runtime/event.hpp"

namespace tributary::api {

inline constexpr std::size_t kMaxSubscriptions = 256;
inline constexpr std::size_t kMaxPending = 256;  // deltas of one subscription
inline constexpr std::size_t kMaxReplies = 64;   // error messages
// A snapshot of ten thousand connections takes a tenth of a second to make: a client that cannot
// follow a storm of changes gets no more of them than this.
inline constexpr Duration kSnapshotEvery{std::chrono::seconds{1}};

class StreamClient {
 public:
  struct Outgoing {
    std::string type;  // "snapshot", "delta", "gap", "error"
    std::string text;
  };
  // What the next message is, when it takes a snapshot to make it.
  struct SnapshotNeeded {
    std::int64_t id;
    Topic topic;
  };

  StreamClient(Executor executor, Via via, std::string credential)
      : via_(via), credential_(std::move(credential)), executor_(executor) {}

  // False: it has that id already, or too many.
  bool subscribe(std::int64_t id, Topic topic);
  void unsubscribe(std::int64_t id);
  bool has(std::int64_t id) const { return subscriptions_.contains(id); }
  void reply_error(std::int64_t id, const Problem& problem);

  // A delta for each subscription that `wanted` picks.
  template <typename Wanted>
  void push(Wanted wanted, const Json& delta) {
    for (auto& [id, subscription] : subscriptions_) {
      if (wanted(subscription.topic)) enqueue(subscription, delta);
    }
  }
  void push_values(const std::string& function_id, const ValuesFeed::Update& update);
  // Forgets subscriptions to a function that was deleted, with an error message for each.
  void drop_function(const std::string& function_id, const Problem& problem);

  // The next message; SnapshotNeeded when one has to be made first: give it to put_snapshot().
  // nullopt: nothing waits but, perhaps, for its time (next_due).
  std::optional<std::variant<Outgoing, SnapshotNeeded>> next(SteadyTime now);
  // When the earliest of the snapshots that wait for their time may be made.
  std::optional<SteadyTime> next_due() const;
  Outgoing put_snapshot(std::int64_t id, Json data);

  // Resumes when something waits, when the client is closed, or at the deadline.
  Task<void> wait(Timers& timers, SteadyTime deadline);
  void close();
  bool closed() const { return closed_; }

  Via via() const { return via_; }
  const std::string& credential() const { return credential_; }
  // Functions whose values are listened to.
  std::vector<std::string> functions() const;
  bool listens_to(Topic::Kind kind) const;

 private:
  struct Subscription {
    Topic topic;
    std::int64_t seq = 0;
    bool gap = false;
    bool needs_snapshot = true;
    std::optional<SteadyTime> next_snapshot;  // not before; set by the one before
    std::deque<Json> pending;
    std::map<std::string, Json> samples;  // by point
  };
  void enqueue(Subscription& subscription, Json delta);
  void overflow(Subscription& subscription);
  void wake();
  std::optional<std::variant<Outgoing, SnapshotNeeded>> next_of(std::int64_t id,
                                                                Subscription& subscription,
                                                                SteadyTime now);

  Via via_;
  std::string credential_;
  Executor executor_;
  std::map<std::int64_t, Subscription> subscriptions_;
  std::int64_t last_served_ = 0;
  std::deque<Outgoing> replies_;
  std::shared_ptr<Event> waiting_;
  bool closed_ = false;
};

}  // namespace tributary::api
