// For the tests of the spool: a directory of its own, and calls that wait for their answer.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "runtime/log.hpp"
#include "spool/spool.hpp"

namespace tributary::spool {

// What these tests do to the files is told in the log, thousands of times.
inline const auto* const kQuiet = [] {
  class Quiet : public testing::Environment {
    void SetUp() override { log::start(log::Level::kError, "/dev/null"); }
  };
  return testing::AddGlobalTestEnvironment(new Quiet);
}();

// Memory where there is some: flushing costs nothing there.
inline std::filesystem::path fast_parent() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = fast_parent() / "tributary-spool-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs a task to its end on an executor of its own.
template <typename T>
T wait(Task<T> task) {
  asio::io_context context;
  std::optional<T> answer;
  const auto keep = [](Task<T> work, std::optional<T>& out) -> Task<void> {
    out.emplace(co_await std::move(work));
  };
  asio::co_spawn(context.get_executor(), keep(std::move(task), answer), asio::detached);
  context.run();
  return *std::move(answer);
}

// The code of the error, empty when there is none.
template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}

inline const QueueId kQueue{"p1", "d1"};

inline Entry entry(std::string payload, UtcTime at = from_micros(1'700'000'000'000'000)) {
  return {0, at, std::move(payload)};
}

inline Commit one_append(std::vector<std::string> payloads, const QueueId& queue = kQueue,
                         Bounds bounds = {}) {
  Commit commit;
  commit.pipeline = queue.pipeline;
  Commit::Append append{queue, bounds, {}};
  for (std::string& payload : payloads) append.entries.push_back(entry(std::move(payload)));
  commit.appends.push_back(std::move(append));
  return commit;
}

inline Settlement up_to(std::int64_t seq) {
  Settlement settlement;
  settlement.up_to = seq;
  return settlement;
}

inline Settlement dies(std::int64_t up_to, std::vector<std::int64_t> seqs) {
  Settlement settlement;
  settlement.up_to = up_to;
  for (const std::int64_t seq : seqs) {
    settlement.dead.push_back(
        {seq, 3, Error(ErrorClass::kFunction, "refused", "The destination refused it.", "Look.")});
  }
  return settlement;
}

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open(Options options = {}) {
    spool_.reset();
    auto opened = Spool::open(directory_.path(), clock_, options);
    ASSERT_TRUE(opened) << opened.error().message;
    spool_ = std::move(*opened);
  }

  std::vector<Appended> commit(Commit commit) {
    auto done = wait(spool_->commit(std::move(commit)));
    EXPECT_TRUE(done) << done.error().message;
    return done ? *done : std::vector<Appended>(8);
  }
  void settle(Settlement settlement, const QueueId& queue = kQueue) {
    auto done = wait(spool_->settle(queue, std::move(settlement)));
    EXPECT_TRUE(done) << done.error().message;
  }
  std::vector<Entry> read(std::int64_t after = 0, std::size_t max_entries = 1000,
                          std::size_t max_bytes = 64U << 20, const QueueId& queue = kQueue) {
    auto found = wait(spool_->read(queue, after, max_entries, max_bytes));
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : std::vector<Entry>();
  }
  std::vector<std::string> waiting(const QueueId& queue = kQueue) {
    std::vector<std::string> payloads;
    for (Entry& entry : read(0, 1'000'000, std::size_t{1} << 30, queue))
      payloads.push_back(std::move(entry.payload));
    return payloads;
  }
  // Also checks that the counters add up.
  QueueStats stats(const QueueId& queue = kQueue) {
    auto found = wait(spool_->stats(queue));
    EXPECT_TRUE(found);
    EXPECT_EQ(found->accepted,
              found->delivered + found->dead + found->dropped + found->lost + found->waiting);
    return *found;
  }
  std::vector<DeadLetter> letters(const std::string& pipeline = "p1") {
    auto found = wait(spool_->dead_letters(pipeline, "", 1000));
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : std::vector<DeadLetter>();
  }

  TemporaryDirectory directory_;
  SystemClock clock_;
  std::unique_ptr<Spool> spool_;
};

}  // namespace tributary::spool
