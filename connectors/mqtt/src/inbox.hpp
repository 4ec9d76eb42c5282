// Messages on their way from the socket to the sinks: bounded queues, who gets what, and who still
// holds what is to be acknowledged.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/mqtt/src/message.hpp"
#include "runtime/event.hpp"

namespace tributary::connectors::mqtt {

// Bounds of what was read and not yet accepted by the sinks. Reading stops at either; the one
// message that crosses the second is kept, so a queue holds at most this and one message.
constexpr std::size_t kMaxWaitingMessages = 2000;
constexpr std::size_t kMaxWaitingBytes = 8U << 20;
// Bounds of one batch.
constexpr std::size_t kMaxBatchMessages = 500;
constexpr std::size_t kMaxBatchBytes = 4U << 20;

// Messages that nobody has subscribed to yet, kept for those who will.
constexpr std::size_t kMaxKept = 2000;

using SharedMessage = std::shared_ptr<const Message>;

// The queue of one subscribe function.
struct Inbox {
  std::deque<SharedMessage> messages;
  SubscribeSettings::Format format = SubscribeSettings::Format::kJson;
  std::vector<std::string> filters;
  std::shared_ptr<Event> changed;         // set when something came, or was delivered, or ended
  std::vector<SharedMessage> delivering;  // the batch that the sink has not accepted yet
  bool closed = false;                    // nothing new is taken
  bool finished = false;                  // the pump has ended

  void wake() {
    if (changed) std::exchange(changed, nullptr)->set();
  }
};

// One filter at the broker, shared by all functions that use it.
struct Filter {
  int qos = 0;
  std::uint32_t identifier = 0;  // 5.0: messages name it
  std::vector<std::shared_ptr<Inbox>> users;
};

// Sorts messages into inboxes. Lives on the session's executor.
class Router {
 public:
  // Adds a user and says with which QoS and identifier to (re)subscribe.
  const Filter& add(const std::string& filter, int qos, const std::shared_ptr<Inbox>& inbox);
  // True when nobody uses the filter any more: unsubscribe.
  bool remove(const std::string& filter, const std::shared_ptr<Inbox>& inbox);

  // What becomes of a message beside going to those who want it now.
  enum class Keep : std::uint8_t {
    kNo,       // nobody wants it: counted and dropped
    kOrphan,   // nobody wants it, but functions come and go right now
    kForLater  // kept for those who will subscribe: the broker had a session of us, and sends what
               // it kept before we can
  };
  // Queues the message once at each inbox with a filter that it belongs to: those the broker names
  // (5.0), or those that match its topic.
  void dispatch(SharedMessage message, Keep keep);
  // Gives an inbox that was just added what was kept for it, and what others left.
  void claim_kept(const std::shared_ptr<Inbox>& inbox);
  // Kept messages that somebody got are acknowledged when those who got them have accepted them:
  // from now on, nobody else is waited for.
  void settle_kept();
  void drop_kept();

  // Takes the next batch off an inbox into `delivering`; accepted() or refused() must follow. Empty
  // when nothing waits.
  const std::vector<SharedMessage>& take(Inbox& inbox);
  void accepted(Inbox& inbox);
  void refused(Inbox& inbox);
  // Forgets what waits in an inbox. Here and in refused(), what is to be acknowledged becomes an
  // orphan.
  void drop(Inbox& inbox);

  std::size_t orphans() const { return orphans_.size(); }
  // Nobody came for the orphans. Those that a sink refused are never acknowledged (parked), unless
  // `forgive`; the others are. Returns how many were parked.
  std::size_t bury_orphans(bool forgive);

  // Whether the bounds, times `factor`, are reached.
  bool full(std::size_t factor = 1) const;
  std::size_t messages() const { return messages_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t unwanted() const { return unwanted_; }

 private:
  struct Kept {
    SharedMessage message;
    bool claimed;  // somebody got it
    bool held;     // and is not acknowledged yet because others may come for it
  };
  struct Orphan {
    SharedMessage message;
    bool refused;  // a sink, not only a lack of sinks
  };
  // False: the inbox takes nothing any more.
  bool put(const std::shared_ptr<Inbox>& inbox, const SharedMessage& message);
  void leave(const SharedMessage& message);
  std::vector<std::shared_ptr<Inbox>> receivers(const Message& message) const;

  std::map<std::string, Filter, std::less<>> filters_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  bool kept_settled_ = false;
  std::deque<Orphan> orphans_;
  std::uint32_t next_identifier_ = 1;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::size_t unwanted_ = 0;
};

}  // namespace tributary::connectors::mqtt
