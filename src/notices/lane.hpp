// The deliveries of one notice: one after the other, so that order is kept; a slow or dead receiver
// holds up nobody else's. Lives on one executor.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "base/random.hpp"
#include "runtime/event.hpp"
#include "store/notices.hpp"

namespace tributary::notices {

constexpr Duration kFirstRetry{std::chrono::seconds{1}};
constexpr Duration kLongestRetry{std::chrono::minutes{5}};
constexpr Duration kLongestRetryAfter{std::chrono::hours{1}};  // of what a busy receiver asks for
constexpr Duration kGiveUpAfter{std::chrono::hours{24}};

// The wait after `failures` failures in a row: doubled each time, half of it random.
Duration retry_delay(int failures, const Error& error, Random& random);
// The receiver does not want this message, whatever the time: repeating it would hold up the ones
// behind it.
bool is_refusal_of_the_message(const Error& error);

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  enum class Ending : std::uint8_t { kDelivered, kGivenUp };
  struct Services {
    Executor executor;
    Clock& clock;
    Timers& timers;
    Random& random;
    // One attempt. The lane may be stopped meanwhile.
    std::function<Task<Result<void>>(store::OutboxRow row)> send;
    // A message is over. Not called after stop().
    std::function<void(const store::OutboxRow& row, Ending ending)> ended;
    // How the last attempt went: nothing, or the error and how many failed in a row.
    std::function<void(const std::optional<Error>& error, int failures)> attempted;
  };

  explicit Lane(Services services);

  void start(bool active);
  // Ends without another attempt; what waits stays in the store.
  void stop();
  void push(store::OutboxRow row);
  // Makes room: the oldest one that is not under way, or nullopt.
  std::optional<store::OutboxRow> drop_oldest();
  // Nothing is attempted while it is not active.
  void set_active(bool active);
  // The settings changed: what waits for the next attempt need not wait any more.
  void retry_now();

  std::size_t pending() const { return entries_.size(); }

 private:
  struct Entry {
    store::OutboxRow row;
    SteadyTime expires;
  };

  static Task<void> run(std::shared_ptr<Lane> self);
  Task<void> attempt();
  void finish(Ending ending);
  void poke();
  // Until something changes, or the time has come.
  Task<void> pause(std::optional<SteadyTime> until);

  Services services_;
  std::deque<Entry> entries_;
  std::shared_ptr<Event> changed_;
  std::optional<SteadyTime> not_before_;
  int failures_ = 0;
  bool active_ = false;
  bool under_way_ = false;
  bool stopped_ = false;
};

}  // namespace tributary::notices
