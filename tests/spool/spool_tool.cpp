// A process that uses a spool and says what it was promised, for tests that kill it, trace it and
// take its disk away (tests/system/test_spool_*.py). One line for each promise, written at once.
//
//   spool_tool numbers DIR COUNT   commits entries one by one: "acked N" after each
//   spool_tool churn DIR           commits and settles until it is killed
//   spool_tool scenario DIR        enqueues 50, drains 25, trying again what was refused
//   spool_tool pump DIR            offers without end into two queues and drains them; counts, as
//   JSON spool_tool verify DIR          opens, reads everything, prints the counters as JSON
#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstring>
#include <random>

#include "runtime/log.hpp"
#include "spool/spool.hpp"

namespace tributary::spool {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotOpened = 3;
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPause{50};

const QueueId kMain{"p1", "d1"};
const QueueId kDropping{"p1", "d2"};

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    ::_exit(kFailed);
}

// Long enough to be found, and said three times: a page that ends in the middle of one leaves two.
std::string payload_of(std::int64_t seq) {
  const std::string mark = fmt::format("[entry-{:08}]", seq);
  return mark + mark + mark;
}

Commit batch(const QueueId& queue, Bounds bounds, std::vector<std::string> payloads) {
  Commit commit;
  commit.pipeline = queue.pipeline;
  Commit::Append append{queue, bounds, {}};
  for (std::string& payload : payloads)
    append.entries.push_back({0, SystemClock().utc_now(), std::move(payload)});
  commit.appends.push_back(std::move(append));
  commit.states.push_back({"n1", "last", std::to_string(commit.appends[0].entries.size())});
  return commit;
}

Commit numbered(std::int64_t first, std::int64_t count) {
  std::vector<std::string> payloads;
  for (std::int64_t i = 0; i < count; ++i) payloads.push_back(payload_of(first + i));
  return batch(kMain, {}, std::move(payloads));
}

Task<void> pause(Duration duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(use_task);
}

// ---- numbers ----

Task<int> numbers(Spool& spool, std::int64_t count) {
  for (std::int64_t seq = 1; seq <= count; ++seq) {
    Commit next = numbered(seq, 1);
    const auto done = co_await spool.commit(std::move(next));
    if (!done) co_return kFailed;
    say(fmt::format("acked {}", seq));
  }
  co_return 0;
}

// ---- churn ----

Task<void> fill(Spool& spool, std::int64_t first) {
  std::mt19937 chance(std::random_device{}());
  for (;;) {
    const std::int64_t count = 1 + static_cast<std::int64_t>(chance() % 20);
    Commit next = numbered(first, count);
    const auto done = co_await spool.commit(std::move(next));
    if (!done) ::_exit(kFailed);
    first += count;
    say(fmt::format("acked {}", first - 1));
  }
}

Task<void> drain(Spool& spool) {
  std::int64_t after = 0;
  for (;;) {
    const auto page = co_await spool.read(kMain, after, 7, 1U << 20);
    if (!page) ::_exit(kFailed);
    if (page->empty()) {
      co_await pause(std::chrono::milliseconds{1});
      continue;
    }
    after = page->back().seq;
    say(fmt::format("reading {}", after));
    Settlement settlement;
    settlement.up_to = after;
    const auto done = co_await spool.settle(kMain, std::move(settlement));
    if (!done) ::_exit(kFailed);
    say(fmt::format("settled {}", after));
  }
}

Task<int> churn(Spool& spool) {
  const auto stats = co_await spool.stats(kMain);
  const auto executor = co_await asio::this_coro::executor;
  asio::co_spawn(executor, fill(spool, stats->accepted + 1), asio::detached);
  co_await drain(spool);
  co_return 0;
}

// ---- scenario ----

// Until it is done: the disk fails once, the spool mends itself.
template <typename Attempt>
Task<bool> insist(Attempt attempt) {
  const SteadyTime end = SystemClock().steady_now() + kPatience;
  while (SystemClock().steady_now() < end) {
    const std::string code = co_await attempt();
    if (code.empty()) co_return true;
    say("refused " + code);
    co_await pause(kPause);
  }
  co_return false;
}

Task<int> scenario(Spool& spool) {
  constexpr std::int64_t kBatch = 5;
  for (std::int64_t seq = 1; seq <= 50; seq += kBatch) {
    const auto append = [&]() -> Task<std::string> {
      Commit next = numbered(seq, kBatch);
      const auto done = co_await spool.commit(std::move(next));
      co_return done ? std::string() : done.error().code;
    };
    const bool done = co_await insist(append);
    if (!done) co_return kFailed;
    say(fmt::format("acked {}", seq + kBatch - 1));
  }
  for (std::int64_t seq = kBatch; seq <= 25; seq += kBatch) {
    const auto take = [&]() -> Task<std::string> {
      const auto page = co_await spool.read(kMain, seq - kBatch, kBatch, 1U << 20);
      if (!page) co_return page.error().code;
      if (page->size() != kBatch || page->back().seq != seq) co_return std::string("wrong_entries");
      Settlement settlement;
      settlement.up_to = seq;
      const auto done = co_await spool.settle(kMain, std::move(settlement));
      co_return done ? std::string() : done.error().code;
    };
    const bool done = co_await insist(take);
    if (!done) co_return kFailed;
    say(fmt::format("settled {}", seq));
  }
  co_return 0;
}

// ---- pump ----

volatile std::sig_atomic_t stop_asked = 0;  // SIGTERM
volatile std::sig_atomic_t away = 0;        // SIGUSR1: the destination is away; SIGUSR2: back

struct Tally {
  std::int64_t offered = 0;
  std::int64_t accepted = 0;
  std::int64_t delivered = 0;
  std::map<std::string, std::int64_t> refused;  // by code
  bool filled = false;
};

Task<void> offer(Spool& spool, const QueueId& queue, Bounds bounds, Tally& tally) {
  constexpr std::int64_t kBatch = 20;
  while (stop_asked == 0) {
    std::vector<std::string> payloads(kBatch, std::string(500, 'x'));
    Commit next = batch(queue, bounds, std::move(payloads));
    tally.offered += kBatch;
    const auto done = co_await spool.commit(std::move(next));
    if (done) {
      tally.accepted += (*done)[0].accepted + (*done)[0].dropped_newest;
    } else {
      tally.refused[done.error().code] += kBatch;
    }
    co_await pause(done ? std::chrono::milliseconds{1} : std::chrono::milliseconds{20});
  }
  tally.filled = true;
}

// Ends when everything was offered and taken.
Task<void> deliver(Spool& spool, const QueueId& queue, Tally& tally, bool slowly) {
  for (;;) {
    const bool last = tally.filled;
    if (away != 0) {
      co_await pause(kPause);
      continue;
    }
    const auto page = co_await spool.read(queue, 0, 100, 1U << 20);
    if (page && page->empty() && last) co_return;
    if (page && !page->empty()) {
      Settlement settlement;
      settlement.up_to = page->back().seq;
      const auto done = co_await spool.settle(queue, std::move(settlement));
      if (done) tally.delivered += static_cast<std::int64_t>(page->size());
    }
    co_await pause(slowly && !last ? std::chrono::milliseconds{200} : std::chrono::milliseconds{1});
  }
}

Task<void> report(Spool& spool, const Tally& main, const Tally& dropping) {
  std::string text = "{";
  for (const auto& [queue, tally] : {std::pair(kMain, &main), {kDropping, &dropping}}) {
    const auto stats = co_await spool.stats(queue);
    std::string refused;
    for (const auto& [code, count] : tally->refused)
      refused += fmt::format("{}\"{}\": {}", refused.empty() ? "" : ", ", code, count);
    text += fmt::format(
        "{}\"{}\": {{\"offered\": {}, \"acknowledged\": {}, \"refused\": {{{}}}, \"accepted\": {}, "
        "\"delivered\": {}, \"dropped\": {}, \"lost\": {}, \"waiting\": {}}}",
        text.size() > 1 ? ", " : "", queue.node, tally->offered, tally->accepted, refused,
        stats->accepted, stats->delivered, stats->dropped, stats->lost, stats->waiting);
  }
  say(text + "}");
}

Task<int> pump(Spool& spool) {
  const auto executor = co_await asio::this_coro::executor;
  Tally main;
  Tally dropping;
  const Bounds blocking{24 << 20, WhenFull::kBlock};
  const Bounds dropping_oldest{256 << 10, WhenFull::kDropOldest};
  int running = 2;
  const auto drained = [](Spool& target, QueueId queue, Tally& tally, bool slowly,
                          int& left) -> Task<void> {
    co_await deliver(target, queue, tally, slowly);
    --left;
  };
  asio::co_spawn(executor, offer(spool, kMain, blocking, main), asio::detached);
  asio::co_spawn(executor, offer(spool, kDropping, dropping_oldest, dropping), asio::detached);
  asio::co_spawn(executor, drained(spool, kMain, main, false, running), asio::detached);
  asio::co_spawn(executor, drained(spool, kDropping, dropping, true, running), asio::detached);
  while (running > 0) {
    co_await report(spool, main, dropping);
    co_await pause(std::chrono::milliseconds{50});
  }
  co_await report(spool, main, dropping);
  co_return 0;
}

// ---- verify ----

Task<int> verify(Spool& spool) {
  std::int64_t first = 0;
  std::int64_t after = 0;
  std::int64_t count = 0;
  for (;;) {
    const auto page = co_await spool.read(kMain, after, 1000, 8U << 20);
    if (!page) co_return kFailed;
    if (page->empty()) break;
    for (const Entry& entry : *page) {
      if (first == 0) first = after = entry.seq - 1;
      if (entry.seq != after + 1 || entry.payload != payload_of(entry.seq)) {
        say(fmt::format("entry {} is wrong", entry.seq));
        co_return kFailed;
      }
      after = entry.seq;
      ++count;
    }
  }
  const auto stats = co_await spool.stats(kMain);
  say(fmt::format(
      "{{\"accepted\": {}, \"delivered\": {}, \"dead\": {}, \"dropped\": {}, \"lost\": {}, "
      "\"waiting\": {}, \"found\": {}, \"last\": {}}}",
      stats->accepted, stats->delivered, stats->dead, stats->dropped, stats->lost, stats->waiting,
      count, after));
  co_return 0;
}

int run(Spool& spool, const std::string& command, std::int64_t count) {
  asio::io_context context;
  int code = kUsage;
  const auto work = [&]() -> Task<void> {
    if (command == "numbers") code = co_await numbers(spool, count);
    if (command == "churn") code = co_await churn(spool);
    if (command == "scenario") code = co_await scenario(spool);
    if (command == "pump") code = co_await pump(spool);
    if (command == "verify") code = co_await verify(spool);
  };
  asio::co_spawn(context.get_executor(), work(), asio::detached);
  context.run();
  return code;
}

int main_of(int argc, char** argv) {
  if (argc < 3) return kUsage;
  log::start(log::Level::kInfo, "");
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  std::signal(SIGUSR1, [](int) { away = 1; });
  std::signal(SIGUSR2, [](int) { away = 0; });
  const SystemClock clock;
  auto spool = Spool::open(argv[2], clock);
  if (!spool) {
    say("refused " + spool.error().code);
    return kNotOpened;
  }
  return run(**spool, argv[1], argc > 3 ? std::atoll(argv[3]) : 0);
}

}  // namespace
}  // namespace tributary::spool

int main(int argc, char** argv) {
  return tributary::spool::main_of(argc, argv);
}
