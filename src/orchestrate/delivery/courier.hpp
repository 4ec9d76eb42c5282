// Brings what lies in the spool for one destination to it, oldest first. Lives on the pipeline's
// executor.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/random.hpp"
#include "orchestrate/delivery/delivery.hpp"
#include "orchestrate/delivery/send.hpp"
#include "runtime/event.hpp"
#include "runtime/timers.hpp"
#include "spool/spool.hpp"

namespace tributary::orchestrate {

// What waits in memory, besides on disk, so that a destination that keeps up costs no reading.
constexpr std::size_t kMaxWarmBytes = 4U << 20;
constexpr std::size_t kMaxWarmEntries = 4000;
// A record that waited longer is marked as backfill.
constexpr Duration kBackfillAge{std::chrono::seconds{10}};
// Counters that only the spool knows are read at most this often.
constexpr Duration kCountInterval{std::chrono::milliseconds{500}};
// How long a stop waits for a call that is under way; its record stays in the spool.
constexpr Duration kStopPatience{std::chrono::seconds{1}};

struct DeliveryView {
  spool::QueueStats queue;
  std::int64_t attempts = 0;        // of the oldest record, since it was last tried without success
  std::optional<Error> last_error;  // why it waits; absent when it does not
  std::optional<UtcTime> next_attempt_at;
};

struct CourierContext {
  Executor executor;
  Clock& clock;
  Timers& timers;
  FunctionPort& functions;
  spool::Spool& spool;  // outlives everything that runs on the executor
};

class Courier : public std::enable_shared_from_this<Courier> {
 public:
  Courier(spool::QueueId queue, Destination destination, Delivery delivery, CourierContext context);

  // Entries up to `in_doubt` may have reached the destination before the last start of the hub.
  void start(std::int64_t in_doubt);
  // Takes no further record. A call that is under way is waited for only for kStopPatience: what it
  // was about comes again after the next start.
  Task<void> stop();

  // Entries were appended and are on disk.
  void appended(const spool::Appended& result, std::vector<spool::Entry> entries);
  // The destination may be there again, or dead letters were released.
  void poke();
  // Any thread.
  DeliveryView view() const;
  const spool::QueueId& queue() const { return queue_; }
  const std::string& connection_id() const { return destination_.function.connection_id; }

 private:
  struct Ready {
    std::int64_t seq = 0;
    UtcTime at;
    std::size_t bytes = 0;
    Outgoing outgoing;
    std::optional<Error> damage;
  };
  using Self = std::shared_ptr<Courier>;

  static Task<void> work(Self self);
  static Task<Result<void>> read_counters(Self self);
  static Task<void> refresh(Self self);
  // While the destination is away: what the queue drops is shown.
  static Task<void> count(Self self);
  static Task<std::vector<Ready>> next_page(Self self);
  // False: stopped, or an obstacle was met; what is not settled is read again.
  static Task<bool> deliver(Self self, std::vector<Ready> page);
  // Sends the entries [from, from + count); how many have ended. Fewer: stopped, or an obstacle.
  static Task<std::size_t> send_some(Self self, std::vector<Ready>& page, std::size_t from,
                                     std::size_t count);
  // False: stopped.
  static Task<bool> settle(Self self, spool::Settlement settlement, std::size_t bytes);
  static Task<bool> announce(Self self, std::int64_t up_to);
  static Task<void> pause(Self self, Duration delay);
  static Ready ready(spool::Entry entry);

  // Why an entry is not sent at all: too old, damaged, or in doubt.
  std::optional<Error> unsendable(const Ready& entry) const;
  bool is_backfill(const Ready& entry) const;
  // How many of the page's entries from `from` on go into the next send.
  std::size_t sendable(const std::vector<Ready>& page, std::size_t from) const;
  // The settlement after a send: what was refused, and what was tried too often.
  spool::Settlement settlement_of(const std::vector<Ready>& page, std::size_t from,
                                  SendReport& report);
  void settled(const spool::Settlement& settlement, std::size_t bytes);
  void note(std::optional<Error> error, Duration retry_in = {});
  Duration backoff(const std::optional<Error>& error);

  const spool::QueueId queue_;
  const Destination destination_;
  const Delivery delivery_;
  CourierContext context_;
  SeededRandom random_;
  std::deque<Ready> warm_;
  std::size_t warm_bytes_ = 0;
  std::int64_t settled_ = 0;
  std::int64_t in_doubt_ = 0;
  std::int64_t announced_ = 0;
  std::int64_t attempts_ = 0;
  std::int64_t refused_in_a_row_ = 0;
  Duration delay_{};
  bool started_ = false;
  bool stopping_ = false;
  bool stale_ = true;  // the counters must be read again
  bool refreshing_ = false;
  SteadyTime count_after_{};
  std::shared_ptr<Event> news_;  // something was appended
  std::shared_ptr<Event> poke_;
  Event finished_;
  mutable std::mutex mutex_;
  DeliveryView view_;
};

}  // namespace tributary::orchestrate
