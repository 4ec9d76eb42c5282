// Brings what lies in the spool for one destination to it. Lives on the pipeline's executor.
//
// In the order "strict" the oldest comes first, always. In the order "liveFirst" what waited for
// kBackfillAge becomes a backlog: everything that is there at that moment. What is accepted later
// is live and passes it, one call after the other, and the backlog is sent in between as backfill.
// Live records that grow old themselves join the backlog. So each of the two, live and backfill, is
// always in order.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/random.hpp"
#include "orchestrate/delivery/delivery.hpp"
#include "orchestrate/delivery/pace.hpp"
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
    std::optional<UtcTime> released_at;
    std::size_t bytes = 0;
    Outgoing outgoing;
    std::optional<Error> damage;
  };
  enum class Part : std::uint8_t {
    kAll,      // the oldest of the queue; nothing is passed
    kLive,     // behind a backlog that goes on waiting
    kBacklog,  // the oldest, which live records pass
  };
  // Entries that follow one another, to be sent next.
  struct Page {
    Part part = Part::kAll;
    std::vector<Ready> entries;
  };
  // How often the record that is first was tried without success.
  struct Tries {
    std::int64_t seq = 0;
    std::int64_t count = 0;
  };
  using Self = std::shared_ptr<Courier>;

  static Task<void> work(Self self);
  static Task<Result<void>> read_counters(Self self);
  static Task<void> refresh(Self self);
  // While the destination is away: what the queue drops is shown.
  static Task<void> count(Self self);
  static Task<Page> next_page(Self self);
  // The entries behind `after`, from memory when they are there.
  static Task<std::vector<Ready>> in_order(Self self, std::int64_t after);
  static Task<std::vector<Ready>> backlog(Self self);
  // nullopt: the spool did not answer; it was waited for.
  static Task<std::optional<std::vector<Ready>>> read(Self self, std::int64_t after,
                                                      std::size_t max_entries);
  // Until something changes: nothing waits, or the backlog may not be sent yet.
  static Task<void> rest(Self self);
  // Ends early when it is stopped or meets an obstacle: what is not settled is read again.
  static Task<void> deliver(Self self, Page page);
  // Sends the entries [from, from + count); how many have ended. Fewer: stopped, or an obstacle.
  static Task<std::size_t> send_some(Self self, Page& page, std::size_t from, std::size_t count);
  // The entries [from, from + count) have ended as `settlement` says. False: stopped.
  static Task<bool> settle(Self self, const Page& page, std::size_t from, std::size_t count,
                           spool::Settlement settlement);
  static Task<bool> announce(Self self, std::int64_t up_to);
  static Task<void> pause(Self self, Duration delay);
  static Ready ready(spool::Entry entry);

  // Why an entry is not sent at all: too old, damaged, or in doubt.
  std::optional<Error> unsendable(const Ready& entry) const;
  bool is_old(const Ready& entry) const;
  bool is_backfill(Part part, const Ready& entry) const {
    return part == Part::kBacklog || is_old(entry);
  }
  bool is_throttled(Part part, const Ready& entry) const {
    return delivery_.backfill_per_second > 0 && is_backfill(part, entry);
  }
  std::size_t most_records() const;  // of one send
  // How many of the page's entries from `from` on go into the next send.
  std::size_t sendable(const Page& page, std::size_t from) const;
  // The settlement after a send: what was refused, and what was tried too often.
  spool::Settlement settlement_of(const Page& page, std::size_t from, SendReport& report);
  void settled(const Page& page, std::size_t from, std::size_t count,
               const spool::Settlement& settlement);
  // Everything up to this number is settled or belongs to the backlog.
  std::int64_t passed() const { return std::max(settled_, backlog_end_); }
  bool backlog_has_its_turn() const;
  void forget_warm();
  Tries& tries_of(const Page& page, std::size_t from);
  void note(std::optional<Error> error, std::int64_t attempts = 0, Duration retry_in = {});
  Duration backoff(const std::optional<Error>& error);

  const spool::QueueId queue_;
  const Destination destination_;
  const Delivery delivery_;
  CourierContext context_;
  SeededRandom random_;
  std::deque<Ready> warm_;
  std::size_t warm_bytes_ = 0;
  std::int64_t settled_ = 0;      // everything up to it
  std::int64_t backlog_end_ = 0;  // the last entry of the backlog that is passed; 0: none is
  std::int64_t taken_ = 0;     // the last entry of the page that is being sent, if it is no backlog
  std::int64_t last_seq_ = 0;  // the newest entry
  std::int64_t in_doubt_ = 0;
  std::int64_t announced_ = 0;
  std::array<Tries, 2> tries_;  // of live entries, of all others
  BacklogPace pace_;
  SteadyTime backlog_after_{};  // not sent earlier
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
