// What it costs to keep records in the spool, next to a raw loop that writes the same bytes to a
// file and flushes it: batches of 500 records of 200 bytes, in the folder that is given.
#include <fcntl.h>
#include <unistd.h>
#include <filesystem>

#include "bench/measure.hpp"
#include "spool/spool.hpp"

namespace tributary::spool {
namespace {

constexpr std::int64_t kBatch = 500;
constexpr std::size_t kRecordBytes = 200;
constexpr std::int64_t kRecords = 500'000;

struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;
};

template <typename Work>
Cost measure(Work work) {
  const double begin = bench::now();
  const double used = bench::cpu_seconds();
  work();
  return {bench::now() - begin, bench::cpu_seconds() - used};
}

void print(const char* what, const Cost& cost, const Cost& raw) {
  fmt::print("{:<34} {:>10.0f} records/s {:>8.3f} CPU s per million {:>6.2f} x raw time\n", what,
             static_cast<double>(kRecords) / cost.seconds,
             cost.cpu_seconds * 1e6 / static_cast<double>(kRecords), cost.seconds / raw.seconds);
}

void write_raw(const std::string& dir) {
  const int file = ::open((dir + "/raw").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string batch(kBatch * kRecordBytes, 'x');
  for (std::int64_t done = 0; done < kRecords; done += kBatch) {
    if (::write(file, batch.data(), batch.size()) < 0 || ::fdatasync(file) != 0) std::abort();
  }
  ::close(file);
}

Commit make_batch() {
  Commit commit;
  commit.pipeline = "p1";
  Commit::Append append{{"p1", "d1"}, {1LL << 30, WhenFull::kBlock}, {}};
  append.entries.assign(kBatch, {0, UtcTime{}, std::string(kRecordBytes, 'x')});
  commit.appends.push_back(std::move(append));
  return commit;
}

Task<void> keep(Spool& spool) {
  for (std::int64_t done = 0; done < kRecords; done += kBatch) {
    Commit batch = make_batch();
    const auto taken = co_await spool.commit(std::move(batch));
    if (!taken) std::abort();
  }
}

Task<void> drain(Spool& spool) {
  for (std::int64_t done = 0; done < kRecords;) {
    const auto page = co_await spool.read({"p1", "d1"}, done, kBatch, 8U << 20);
    if (!page || page->empty()) std::abort();
    done = page->back().seq;
    Settlement settlement;
    settlement.up_to = done;
    const auto settled = co_await spool.settle({"p1", "d1"}, std::move(settlement));
    if (!settled) std::abort();
  }
}

void run(Task<void> task) {
  asio::io_context context;
  asio::co_spawn(context.get_executor(), std::move(task), asio::detached);
  context.run();
}

int main_of(const std::string& dir) {
  std::filesystem::create_directories(dir);
  const SystemClock clock;
  auto spool = Spool::open(dir, clock);
  if (!spool) {
    fmt::print(stderr, "{}\n", spool.error().message);
    return 1;
  }
  const Cost raw = measure([&] { write_raw(dir); });
  const Cost kept = measure([&] { run(keep(**spool)); });
  const Cost drained = measure([&] { run(drain(**spool)); });
  print("raw: write, fdatasync", raw, raw);
  print("spool: commit", kept, raw);
  print("spool: read, settle", drained, raw);
  return 0;
}

}  // namespace
}  // namespace tributary::spool

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr,
               "Usage: spool_throughput FOLDER (an empty one, on the disk to be measured)\n");
    return 2;
  }
  return tributary::spool::main_of(argv[1]);
}
