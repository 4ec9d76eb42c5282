// Messages on their way from the socket to the sinks: bounded queues, and who gets what.
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

using SharedMessage = std::shared_ptr<const Message>;

// The queue of one subscribe function.
struct Inbox {
  std::deque<SharedMessage> messages;
  SubscribeSettings::Format format = SubscribeSettings::Format::kJson;
  std::vector<std::string> filters;
  std::shared_ptr<Event> changed;  // set when something came, or was delivered, or ended
  std::size_t delivering = 0;      // messages of the batch that the sink has not accepted yet
  std::size_t delivering_bytes = 0;
  bool closed = false;    // nothing new is taken
  bool finished = false;  // the pump has ended

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

  // Queues the message once at each inbox with a filter that it belongs to: those the broker names
  // (5.0), or those that match its topic. A message that nobody wants is kept for a while when
  // `keep` (the broker had a session of us and sends what it kept before we can subscribe), else
  // counted and dropped.
  void dispatch(SharedMessage message, bool keep);
  // Gives an inbox that was just added what was kept for it.
  void claim_kept(const std::shared_ptr<Inbox>& inbox);
  void drop_kept();

  // Takes the next batch off an inbox; accepted() must follow. Empty when nothing waits.
  std::vector<SharedMessage> take(Inbox& inbox);
  void accepted(Inbox& inbox);
  // Forgets what waits in an inbox.
  void drop(Inbox& inbox);

  // Whether the bounds, times `factor`, are reached.
  bool full(std::size_t factor = 1) const;
  std::size_t messages() const { return messages_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t unwanted() const { return unwanted_; }

 private:
  void put(const std::shared_ptr<Inbox>& inbox, const SharedMessage& message);
  std::vector<std::shared_ptr<Inbox>> receivers(const Message& message) const;

  std::map<std::string, Filter, std::less<>> filters_;
  std::deque<SharedMessage> kept_;
  std::size_t kept_bytes_ = 0;
  std::uint32_t next_identifier_ = 1;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::size_t unwanted_ = 0;
};

}  // namespace tributary::connectors::mqtt
