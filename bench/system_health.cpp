// What it takes to say how a whole plant was: a store filled with 10 000 connections of 90 days,
// then the questions of the overview page. system_health [CONNECTIONS] [DAYS]
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "base/random.hpp"
#include "connect/health_desk.hpp"
#include "store/repositories.hpp"

namespace tributary::bench {
namespace {

using connect::health::Micros;

constexpr int kChangesPerDay = 20;
constexpr int kRounds = 20;
constexpr std::size_t kConnectionsPerTransaction = 20;
// The questions read the roll-up, never the rows: those are written for a few only, or the filling
// would take an hour.
constexpr int kConnectionsWithRows = 100;

// A failed step ends the bench: a number measured over errors would be worth nothing.
void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

struct Size {
  int connections = 10'000;
  int days = 90;
};

struct Plant {
  std::string folder;
  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  Runtime runtime{1, clock, *timers};
  std::unique_ptr<store::Store> store;
  std::shared_ptr<connect::health::Rollup> rollup = std::make_shared<connect::health::Rollup>();
  connect::HealthDesk::Entries entries;

  Plant() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tributary-bench-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    store = std::move(*store::Store::open(folder, clock));
  }
  ~Plant() {
    runtime.stop();
    store.reset();
    std::filesystem::remove_all(folder);
  }
};

// A connection that is lost now and then, mostly for seconds: about kChangesPerDay rows a day.
std::vector<store::HistoryRow> history_of(const std::string& id, UtcTime begin, int days,
                                          SeededRandom& random) {
  std::vector<store::HistoryRow> rows;
  UtcTime at = begin;
  const auto add = [&](std::string_view to, Micros length) {
    store::HistoryRow row;
    row.connection_id = id;
    row.seq = std::ssize(rows) + 1;
    row.from = rows.empty() ? "" : rows.back().to;
    row.to = std::string(to);
    if (to == "Disconnected") {
      row.cause_class = "Transient";
      row.cause_code = "connection_reset";
      row.cause_message = "192.0.2.10:502 ended the connection.";
    }
    row.at = at;
    row.monotonic_ns = std::chrono::nanoseconds{at - begin}.count() + 1;
    row.boot_id = "01J0000000000000000000BOOT";
    rows.push_back(std::move(row));
    at += length;
  };
  const auto upto = [&](std::int64_t seconds) {
    return Micros{static_cast<std::int64_t>(random.next() % 1'000'000) * seconds};
  };
  add("Idle", std::chrono::seconds{1});
  add("Connecting", std::chrono::milliseconds{400});
  const UtcTime end = begin + std::chrono::days{days};
  // Three rows for each loss.
  const std::int64_t between = 2 * 86'400 * 3 / kChangesPerDay;
  while (at < end) {
    add("Connected", upto(between));
    add("Disconnected", upto(20));
    add("Reconnecting", upto(2));
  }
  return rows;
}

void fill(Plant& plant, const Size& size, UtcTime begin) {
  SeededRandom random(1);
  for (int first = 0; first < size.connections;) {
    std::vector<std::vector<store::HistoryRow>> histories;
    std::vector<store::ConnectionRow> rows;
    for (std::size_t i = 0; i < kConnectionsPerTransaction && first < size.connections; ++i) {
      store::ConnectionRow row;
      row.id = fmt::format("01J{:023}", first++);
      row.name = "Connection " + row.id;
      row.type = "modbus";
      row.labels = json_object();
      row.settings = json_object();
      row.reconnect = json_object();
      connect::ConnectionEntry& entry = plant.entries[row.id];
      entry.row = row;
      entry.state.status = connect::Status::kConnected;
      histories.push_back(history_of(row.id, begin, size.days, random));
      rows.push_back(std::move(row));
    }
    must(plant.store->write_now([&](soci::session& sql) -> Result<void> {
      for (const auto& row : rows) TRIBUTARY_TRY(store::Connections::insert(sql, row));
      for (const auto& history : histories) {
        for (const auto& row : history) {
          if (first <= kConnectionsWithRows) TRIBUTARY_TRY(store::History::append(sql, row));
        }
        TRIBUTARY_TRY(plant.rollup->append(sql, history));
      }
      return {};
    }));
  }
}

// Asks kRounds times and prints the middle, the worst, and the mean CPU time of the process.
template <typename Ask>
void measure(const char* what, Ask ask) {
  std::vector<double> milliseconds;
  const SystemClock clock;
  const std::clock_t cpu = std::clock();
  for (int i = 0; i < kRounds; ++i) {
    const SteadyTime begin = clock.steady_now();
    ask(i);
    milliseconds.push_back(to_seconds(clock.steady_now() - begin) * 1000);
  }
  std::ranges::sort(milliseconds);
  const double each = static_cast<double>(std::clock() - cpu) * 1000 / CLOCKS_PER_SEC / kRounds;
  std::printf("%-50s p50 %7.1f ms   max %7.1f ms   CPU %7.1f ms\n", what, milliseconds[kRounds / 2],
              milliseconds.back(), each);
  std::fflush(stdout);
}

template <typename T>
T wait_for(Plant& plant, Task<Result<T>> task) {
  auto found = asio::co_spawn(plant.runtime.control(), std::move(task), asio::use_future).get();
  if (found) return *std::move(found);
  std::fprintf(stderr, "%s\n", found.error().message.c_str());
  std::exit(1);
}

void ask(Plant& plant, const Size& size, UtcTime begin) {
  connect::HealthDesk desk(plant.runtime, *plant.store, plant.rollup, plant.entries);
  const UtcTime end = begin + std::chrono::days{size.days};
  const auto system = [&](UtcTime from, UtcTime to) {
    connect::SystemHealthQuery query;
    query.from = from;
    query.to = to;
    const auto health = wait_for(plant, desk.system(std::move(query)));
    Micros sum{};
    for (const Micros part : health.figures.spent) sum += part;
    if (sum == (to - from) * size.connections) return;
    std::fprintf(stderr, "The parts do not add up to the window.\n");
    std::exit(1);
  };
  const auto hour = std::chrono::hours{1};
  measure("all connections, the whole time", [&](int i) { system(begin + i * hour, end); });
  measure("all connections, the last 24 hours",
          [&](int i) { system(end - 24 * hour - i * hour, end); });
  measure("all connections, a day in the middle", [&](int i) {
    const UtcTime middle = begin + (end - begin) / 2 + i * hour;
    system(std::chrono::floor<std::chrono::milliseconds>(middle),
           std::chrono::floor<std::chrono::milliseconds>(middle) + 24 * hour);
  });
  const auto one = [&](UtcTime from, std::size_t buckets, int i) {
    const auto entry = std::next(plant.entries.begin(), i * 37 % size.connections);
    const auto health = wait_for(plant, desk.health(entry->first, from, end, buckets));
    if (health.timeline.empty()) std::exit(1);
  };
  measure("one connection, the last 24 hours, 24 buckets",
          [&](int i) { one(end - 24 * hour, 24, i); });
  measure("one connection, the whole time, 2000 buckets", [&](int i) { one(begin, 2000, i); });
}

void run(const Size& size) {
  Plant plant;
  const UtcTime now = std::chrono::floor<std::chrono::milliseconds>(plant.clock.utc_now());
  const UtcTime begin = now - std::chrono::days{size.days} - std::chrono::minutes{1};
  const SteadyTime started = plant.clock.steady_now();
  fill(plant, size, begin);
  const auto bytes = std::filesystem::file_size(plant.folder + "/tributary.db");
  std::printf(
      "%d connections, %d days, about %d changes a day: filled in %.0f s, %.0f MiB of roll-up\n",
      size.connections, size.days, kChangesPerDay, to_seconds(plant.clock.steady_now() - started),
      static_cast<double>(bytes) / (1 << 20));
  // As after a start: nothing of the roll-up is in memory.
  plant.rollup = std::make_shared<connect::health::Rollup>();
  std::puts("after a start, nothing in memory:");
  ask(plant, size, begin);
}

}  // namespace
}  // namespace tributary::bench

int main(int count, char** words) {
  tributary::bench::Size size;
  if (count > 1) size.connections = std::atoi(words[1]);
  if (count > 2) size.days = std::atoi(words[2]);
  if (size.connections < 1 || size.days < 1) {
    std::fprintf(stderr, "usage: system_health [CONNECTIONS] [DAYS]\n");
    return 2;
  }
  tributary::bench::run(size);
  return 0;
}
