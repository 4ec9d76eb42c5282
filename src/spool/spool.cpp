#include "spool/spool.hpp"

#include <pthread.h>
#include <thread>

#include "spool/disk.hpp"
#include "spool/writer.hpp"

namespace tributary::spool {

namespace {

constexpr std::size_t kMaxQueuedReads = 4096;
constexpr std::size_t kMaxQueuedReadBytes = 64U << 20;
// One transaction of a removal.
constexpr std::size_t kRemoveLetters = 1000;
// Reading finds damage, it is mended, reading finds damage: after that something else is wrong.
constexpr int kMaxReads = 3;

struct ReadJob {
  std::move_only_function<void()> work;
  std::size_t bytes = 0;
};

// Resumes the awaiting coroutine on its own executor, once, from any thread.
template <typename T>
using Resume = std::move_only_function<void(Result<T>)>;

template <typename T>
Task<Result<T>> await_result(std::move_only_function<void(Resume<T>)> start) {
  auto executor = co_await asio::this_coro::executor;
  auto initiate = [executor](auto handler, std::move_only_function<void(Resume<T>)> begin) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    begin([executor, shared](Result<T> result) mutable {
      asio::post(executor, [shared = std::move(shared), result = std::move(result)]() mutable {
        (*shared)(std::move(result));
      });
    });
  };
  co_return co_await asio::async_initiate<decltype(use_task), void(Result<T>)>(
      std::move(initiate), use_task, std::move(start));
}

std::size_t size_of(const Commit& commit) {
  std::size_t bytes = 0;
  for (const Commit::Append& append : commit.appends) {
    for (const Entry& entry : append.entries) bytes += entry.payload.size() + kEntryHeaderBytes;
  }
  for (const StateChange& change : commit.states) bytes += change.value.value_or("").size();
  return bytes;
}

class SpoolOnDisk final : public Spool {
 public:
  SpoolOnDisk(std::unique_ptr<Disk> disk, const Clock& clock, Options options)
      : writer_(std::move(disk), clock, options), reads_(kMaxQueuedReads, kMaxQueuedReadBytes) {
    reader_ = std::thread([this] {
      while (!reads_.finished()) {
        for (ReadJob& job : reads_.take(1, std::nullopt)) job.work();
      }
    });
    pthread_setname_np(reader_.native_handle(), "spool-reader");
  }
  ~SpoolOnDisk() override {
    reads_.close();
    reader_.join();
  }

  Task<Result<std::vector<Appended>>> commit(Commit commit) override;
  Task<Result<std::vector<Entry>>> read(QueueId queue, std::int64_t after, std::size_t max_entries,
                                        std::size_t max_bytes) override;
  Task<Result<void>> settle(QueueId queue, Settlement settlement) override;
  Task<Result<QueueStats>> stats(QueueId queue) override;
  Result<Room> room() const override;
  Task<Result<std::vector<QueueId>>> queues(std::string pipeline) override;
  Task<Result<std::vector<StateChange>>> states(std::string pipeline) override;
  Task<Result<void>> forget_pipeline(std::string pipeline) override;
  Task<Result<void>> forget_queue(QueueId queue) override;
  Task<Result<std::vector<DeadLetter>>> dead_letters(std::string pipeline, std::string before,
                                                     std::size_t limit) override;
  Task<Result<DeadLetter>> dead_letter(std::string pipeline, std::string id) override;
  Task<Result<std::int64_t>> release(std::string pipeline, std::vector<std::string> ids) override;
  Task<Result<std::int64_t>> remove(std::string pipeline, std::vector<std::string> ids) override;

 private:
  template <typename T>
  using Change = std::move_only_function<Result<T>(Transaction&)>;
  template <typename T>
  using Question = std::function<Result<T>(Reading&)>;

  // Runs it in a transaction of the writer; resumes when that is on the disk.
  template <typename T>
  Task<Result<T>> write(Change<T> change, std::size_t bytes);
  Task<Result<void>> write_nothing_back(Change<void> change);
  // Asks the reader; what it finds damaged is mended first, and asked again.
  template <typename T>
  Task<Result<T>> ask(Question<T> question);
  template <typename T>
  Task<Result<T>> ask_once(Question<T> question);
  Task<Result<void>> mend(std::uint64_t seen_at);
  Task<Result<std::vector<std::string>>> in_order(std::string pipeline,
                                                  std::vector<std::string> ids);

  Writer writer_;
  Jobs<ReadJob> reads_;
  std::thread reader_;
};

template <typename T>
Task<Result<T>> SpoolOnDisk::write(Change<T> change, std::size_t bytes) {
  std::move_only_function<void(Resume<T>)> start = [this, change = std::move(change),
                                                    bytes](Resume<T> resume) mutable {
    auto answer = std::make_shared<std::optional<T>>();
    WriteJob job;
    job.bytes = bytes;
    job.work = [answer,
                change = std::move(change)](Transaction& transaction) mutable -> Result<void> {
      auto result = change(transaction);
      if (!result) return fail(std::move(result.error()));
      *answer = *std::move(result);
      return {};
    };
    job.done = [answer, resume = std::move(resume)](Result<void> done) mutable {
      resume(done ? Result<T>(**std::move(answer)) : Result<T>(fail(std::move(done.error()))));
    };
    writer_.post(std::move(job));
  };
  co_return co_await await_result<T>(std::move(start));
}

Task<Result<void>> SpoolOnDisk::write_nothing_back(Change<void> change) {
  Change<bool> wrapped = [change =
                              std::move(change)](Transaction& transaction) mutable -> Result<bool> {
    auto done = change(transaction);
    if (!done) return fail(std::move(done.error()));
    return true;
  };
  auto done = co_await write<bool>(std::move(wrapped), 0);
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<void>();
}

template <typename T>
Task<Result<T>> SpoolOnDisk::ask_once(Question<T> question) {
  std::move_only_function<void(Resume<T>)> start =
      [this, question = std::move(question)](Resume<T> resume) mutable {
        // Shared: a job that is refused is gone, the answer is still owed.
        auto owed = std::make_shared<Resume<T>>(std::move(resume));
        ReadJob job;
        job.work = [this, question = std::move(question), owed] {
          (*owed)(writer_.disk().read(question));
        };
        if (!reads_.push(std::move(job))) return;
        (*owed)(fail(ErrorClass::kBusy, "spool_busy", "Too many questions wait for the spool."));
      };
  co_return co_await await_result<T>(std::move(start));
}

template <typename T>
Task<Result<T>> SpoolOnDisk::ask(Question<T> question) {
  for (int reads = 1;; ++reads) {
    const std::uint64_t seen_at = writer_.openings();
    Question<T> copy = question;
    auto answer = co_await ask_once<T>(std::move(copy));
    if (answer || answer.error().code != kDamaged) co_return answer;
    answer.error().code = "spool_failed";
    if (reads == kMaxReads) co_return answer;
    auto mended = co_await mend(seen_at);
    if (!mended) co_return fail(std::move(mended.error()));
  }
}

Task<Result<void>> SpoolOnDisk::mend(std::uint64_t seen_at) {
  std::move_only_function<void(Resume<void>)> start = [this, seen_at](Resume<void> resume) {
    WriteJob job;
    job.mend = seen_at;
    job.done = std::move(resume);
    writer_.post(std::move(job));
  };
  co_return co_await await_result<void>(std::move(start));
}

Task<Result<std::vector<Appended>>> SpoolOnDisk::commit(Commit commit) {
  const std::size_t bytes = size_of(commit);
  Change<std::vector<Appended>> change = [commit = std::move(commit)](Transaction& transaction) {
    return transaction.commit(commit);
  };
  co_return co_await write<std::vector<Appended>>(std::move(change), bytes);
}

Task<Result<std::vector<Entry>>> SpoolOnDisk::read(QueueId queue, std::int64_t after,
                                                   std::size_t max_entries, std::size_t max_bytes) {
  Question<std::vector<Entry>> question =
      [this, queue = std::move(queue), after, max_entries,
       max_bytes](Reading& reading) -> Result<std::vector<Entry>> {
    const auto slot = writer_.disk().numbers().find(queue);
    if (!slot || slot->waiting == 0) return std::vector<Entry>();
    return reading.entries(slot->id, std::max(after + 1, slot->head), max_entries, max_bytes);
  };
  co_return co_await ask<std::vector<Entry>>(std::move(question));
}

Task<Result<void>> SpoolOnDisk::settle(QueueId queue, Settlement settlement) {
  Change<void> change = [queue = std::move(queue),
                         settlement = std::move(settlement)](Transaction& transaction) {
    return transaction.settle(queue, settlement);
  };
  co_return co_await write_nothing_back(std::move(change));
}

Task<Result<QueueStats>> SpoolOnDisk::stats(QueueId queue) {
  co_return writer_.disk().numbers().stats(queue).value_or(QueueStats());
}

Result<Room> SpoolOnDisk::room() const {
  const std::string& dir = writer_.paths().dir;
  DiskSpace space;
  if (const int error = read_space(dir, space); error != 0)
    return fail(from_errno(error, fmt::format("{} does not say its size", dir)));
  return Room{space.free, space.size, writer_.trouble()};
}

Task<Result<std::vector<QueueId>>> SpoolOnDisk::queues(std::string pipeline) {
  std::vector<QueueId> names;
  for (const Slot& slot : writer_.disk().numbers().of(pipeline)) {
    if (!slot.forgotten) names.push_back(slot.name);
  }
  co_return names;
}

Task<Result<std::vector<StateChange>>> SpoolOnDisk::states(std::string pipeline) {
  Question<std::vector<StateChange>> question = [pipeline = std::move(pipeline)](Reading& reading) {
    return reading.states(pipeline);
  };
  co_return co_await ask<std::vector<StateChange>>(std::move(question));
}

Task<Result<void>> SpoolOnDisk::forget_pipeline(std::string pipeline) {
  Change<void> change = [pipeline = std::move(pipeline)](Transaction& transaction) {
    return transaction.forget_pipeline(pipeline);
  };
  co_return co_await write_nothing_back(std::move(change));
}

Task<Result<void>> SpoolOnDisk::forget_queue(QueueId queue) {
  Change<void> change = [queue = std::move(queue)](Transaction& transaction) {
    return transaction.forget_queue(queue);
  };
  co_return co_await write_nothing_back(std::move(change));
}

Task<Result<std::vector<DeadLetter>>> SpoolOnDisk::dead_letters(std::string pipeline,
                                                                std::string before,
                                                                std::size_t limit) {
  Question<std::vector<DeadLetter>> question =
      [pipeline = std::move(pipeline), before = std::move(before), limit](Reading& reading) {
        return reading.dead_letters(pipeline, before, limit);
      };
  co_return co_await ask<std::vector<DeadLetter>>(std::move(question));
}

Task<Result<DeadLetter>> SpoolOnDisk::dead_letter(std::string pipeline, std::string id) {
  Question<DeadLetter> question = [pipeline = std::move(pipeline),
                                   id = std::move(id)](Reading& reading) {
    return reading.dead_letter(pipeline, id);
  };
  co_return co_await ask<DeadLetter>(std::move(question));
}

Task<Result<std::vector<std::string>>> SpoolOnDisk::in_order(std::string pipeline,
                                                             std::vector<std::string> ids) {
  Question<std::vector<std::string>> question = [pipeline = std::move(pipeline),
                                                 ids = std::move(ids)](Reading& reading) {
    return reading.in_order(pipeline, ids);
  };
  co_return co_await ask<std::vector<std::string>>(std::move(question));
}

Task<Result<std::int64_t>> SpoolOnDisk::release(std::string pipeline,
                                                std::vector<std::string> ids) {
  auto ordered = co_await in_order(pipeline, std::move(ids));
  if (!ordered) co_return fail(std::move(ordered.error()));
  std::int64_t released = 0;
  for (std::size_t done = 0; done < ordered->size();) {
    Change<Transaction::Moved> change =
        [pipeline, rest = std::span(*ordered).subspan(done)](Transaction& transaction) {
          return transaction.release(pipeline, rest);
        };
    auto moved = co_await write<Transaction::Moved>(std::move(change), 0);
    if (!moved) co_return fail(std::move(moved.error()));
    released += moved->found;
    done += moved->looked_at;
  }
  co_return released;
}

Task<Result<std::int64_t>> SpoolOnDisk::remove(std::string pipeline, std::vector<std::string> ids) {
  auto ordered = co_await in_order(pipeline, std::move(ids));
  if (!ordered) co_return fail(std::move(ordered.error()));
  std::int64_t removed = 0;
  for (std::size_t done = 0; done < ordered->size(); done += kRemoveLetters) {
    const std::size_t count = std::min(kRemoveLetters, ordered->size() - done);
    Change<std::int64_t> change =
        [pipeline, some = std::span(*ordered).subspan(done, count)](Transaction& transaction) {
          return transaction.remove(pipeline, some);
        };
    auto gone = co_await write<std::int64_t>(std::move(change), 0);
    if (!gone) co_return fail(std::move(gone.error()));
    removed += *gone;
  }
  co_return removed;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(const std::string& data_dir, const Clock& clock,
                                           Options options) {
  auto disk = Disk::open(data_dir, clock);
  if (!disk) return fail(std::move(disk.error()));
  return std::make_unique<SpoolOnDisk>(std::move(*disk), clock, options);
}

}  // namespace tributary::spool
