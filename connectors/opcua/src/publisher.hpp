// Subscriptions at the server and what they bring: one for each function, or several where the
// server limits what one may watch. Lives on the session's executor.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "connectors/opcua/src/state.hpp"

namespace tributary::connectors::opcua {

// Bounds of what came and was not accepted by the sink yet. From here on the server is told to stop
// sending; what is on its way then, at most kMostPublishing messages, still comes.
inline constexpr std::size_t kMostWaiting = 20'000;           // values
inline constexpr std::uint32_t kMostPerNotification = 5'000;  // values in one message
inline constexpr std::size_t kMostPublishing = 8;             // requests that wait at the server

// What came in one message.
struct Message {
  std::uint32_t leg = 0;
  Owned<UA_PublishResponse> response;
  std::size_t values = 0;
};

// One subscribe function.
struct Feed {
  Feed(const SubscribeOperation& operation, sdk::Sink& sink_)
      : nodes(operation.nodes), settings(operation.settings), sink(&sink_) {}
  Feed(const EventsOperation& operation, sdk::Sink& sink_)
      : nodes(operation.notifier),
        settings(operation.rhythm),
        sink(&sink_),
        events(std::make_unique<EventWatch>(operation.selection)) {}
  const Nodes nodes;
  const SubscribeSettings settings;
  sdk::Sink* const sink;
  const std::unique_ptr<EventWatch> events;  // null: values of the nodes are watched
  std::vector<Leg> legs;
  std::vector<std::uint32_t> refused;  // points that the server does not watch
  std::vector<Sample> refusals;        // to be told
  std::deque<Message> waiting;
  std::size_t waiting_values = 0;
  bool gap = false;     // something was missed: the next values say so
  bool missed = false;  // it was taken over: what came since is asked for first
  bool look = false;    // after that, what is true now
  Duration retry_in{};
  SteadyTime retry_at = SteadyTime::max();
  std::shared_ptr<Event> changed;
  bool closed = false;
  bool finished = false;  // its pump has ended
  void wake() {
    if (changed) std::exchange(changed, nullptr)->set();
  }
};

class Publisher final : public std::enable_shared_from_this<Publisher> {
 public:
  explicit Publisher(std::weak_ptr<State> state) : state_(std::move(state)) {}

  // Takes over what the session before this one watched for the same function, and delivers what
  // was missed; or makes the subscription at the server, and marks the first values when there was
  // one that cannot be taken over. What the server refuses for single nodes becomes bad samples,
  // and is tried again. The sink of `feed` outlives it. Errors, besides connection classes:
  // kFunction when the server makes no subscription.
  static Task<Result<std::shared_ptr<Feed>>> subscribe(Shared state, std::shared_ptr<Feed> feed,
                                                       SteadyTime deadline);
  // Ends it at the server; nothing is delivered afterwards.
  static Task<void> cancel(Shared state, std::shared_ptr<Feed> feed, SteadyTime deadline);
  // Ends it here.
  void drop(const std::shared_ptr<Feed>& feed) noexcept;
  // The session is over.
  void end() noexcept;
  // What the next session may take over. Before end().
  std::vector<KeptFeed> leave() const;
  bool idle() const { return by_leg_.empty(); }

 private:
  struct Acknowledgement {
    std::uint32_t leg;
    std::uint32_t sequence;
  };
  static Task<Result<void>> add_leg(Shared state, std::shared_ptr<Feed> feed, SteadyTime deadline);
  // Watches the points; those that are refused are in `feed->refused` afterwards.
  static Task<Result<void>> add_items(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                                      std::vector<std::uint32_t> points, SteadyTime deadline);
  static Task<Result<void>> add_all(Shared state, std::shared_ptr<Feed> feed,
                                    std::vector<std::uint32_t> points, SteadyTime deadline);
  static Task<void> remove(Shared state, std::vector<std::uint32_t> legs, SteadyTime deadline);
  static Task<void> publish(Shared state);
  static Task<void> pump(Shared state, std::shared_ptr<Feed> feed);
  static Task<bool> deliver(Shared state, std::shared_ptr<Feed> feed, Message message);

  // Of one message that was asked for again. End: nobody wants more, or the session is lost.
  enum class Missed : std::uint8_t { kTold, kGone, kEnd };
  // True: `feed` goes on; its pump catches up.
  static Task<Result<bool>> resume(Shared state, std::shared_ptr<Feed> feed, SteadyTime deadline);
  static Task<Result<bool>> reawake(Shared state, std::shared_ptr<Feed> feed,
                                    const std::vector<Leg>& legs, SteadyTime deadline);
  static Task<Result<bool>> transfer(Shared state, const std::vector<Leg>& legs,
                                     SteadyTime deadline);
  // The next message of `leg`.
  static Task<Missed> republish(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg);
  // These deliver; false: nobody wants more.
  static Task<bool> fill_gap(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                             std::uint32_t until);
  static Task<bool> catch_up(Shared state, std::shared_ptr<Feed> feed);
  static Task<bool> tell_current(Shared state, std::shared_ptr<Feed> feed);

  static Task<void> retry(Shared state, std::shared_ptr<Feed> feed);
  static Task<void> set_sending(Shared state, std::shared_ptr<Feed> feed, bool on);
  void keep_publishing(const Shared& state);
  void take(const Shared& state, Owned<UA_PublishResponse> response);
  void acknowledge_old(const Leg& leg, const UA_PublishResponse& response);
  void lost(const Shared& state, Error error);

  std::weak_ptr<State> state_;
  std::map<std::uint32_t, std::shared_ptr<Feed>> by_leg_;
  std::vector<Acknowledgement> accepted_;
  std::size_t publishing_ = 0;
  std::size_t most_publishing_ = kMostPublishing;
  bool ended_ = false;
};

}  // namespace tributary::connectors::opcua
