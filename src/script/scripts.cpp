#include <fmt/format.h>

#include <algorithm>

#include "runtime/log.hpp"
#include "script/conversation.hpp"
#include "script/frames.hpp"
#include "script/pool.hpp"
#include "script/script.hpp"

namespace tributary::script {
namespace {

std::string_view code_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::kTimeout:
      return "script_timeout";
    case FailureKind::kOutOfMemory:
      return "script_out_of_memory";
    case FailureKind::kOutputTooLarge:
      return "script_output_too_large";
    case FailureKind::kFailed:
      break;
  }
  return "script_failed";
}

// From the source's own lines to those of what the person wrote.
std::string located(const Failure& failure, const Source& source) {
  if (failure.line <= 0) return failure.message;
  const int line = source.line + failure.line - 1;
  const int column = failure.line == 1 ? source.column + failure.column - 1 : failure.column;
  return fmt::format("line {}, column {}: {}", line, column, failure.message);
}

Error error_of(const Failure& failure, const Source& source, const Limits& limits) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limits.cpu);
  std::string message = located(failure, source);
  std::string hint;
  if (failure.kind == FailureKind::kTimeout) {
    message =
        fmt::format("The script took longer than {} ms for one record.", milliseconds.count());
    hint = "Do less for each record, or give the node a longer timeoutMs.";
  } else if (failure.kind == FailureKind::kOutOfMemory) {
    message = fmt::format("The script needs more than {} MiB of memory for one record.",
                          limits.memory_bytes >> 20);
    hint = "Build smaller values.";
  }
  return Error(ErrorClass::kFunction, std::string(code_of(failure.kind)), std::move(message),
               std::move(hint));
}

Limits bounded(Limits limits) {
  limits.cpu = std::clamp<Duration>(limits.cpu, std::chrono::milliseconds{1}, kMaxCpu);
  return limits;
}

// What compiled sets are known by in the pool: whose work it is.
std::string key_of(const std::vector<Source>& sources) {
  std::string key;
  wire::Writer writer(key);
  for (const Source& source : sources) {
    writer.byte(static_cast<std::uint8_t>(source.kind));
    writer.text(source.text);
  }
  return key;
}

// One run on its way through frames and workers.
struct Work {
  std::vector<Source> sources;
  std::vector<Names> records;
  Limits limits;
  std::function<bool()> stop;
  Scripts::Results results;
  std::size_t bytes = 0;  // that the answers took
  std::size_t next = 0;   // the first record without a result

  void fail_record(std::size_t record, const Failure& failure) {
    auto& row = results[record];
    row.clear();
    for (const Source& source : sources) {
      row.emplace_back(fail(error_of(failure, source, limits)));
    }
    next = record + 1;
  }

  // Answers come in order, one for each record, none beyond the frame.
  bool accept(Answer& answer, std::size_t answer_bytes, std::size_t end) {
    bytes += answer_bytes;
    if (auto* record = std::get_if<RecordAnswer>(&answer)) return accept(*record, end);
    if (const auto* done = std::get_if<Done>(&answer)) return done->next == next;
    if (const auto* expired = std::get_if<Expired>(&answer)) {
      if (expired->record != next || next >= end) return false;
      fail_record(next, {FailureKind::kTimeout, {}, 0, 0});
      return true;
    }
    return false;
  }

  bool accept(RecordAnswer& answer, std::size_t end) {
    if (answer.record != next || next >= end || answer.outcomes.size() != sources.size()) {
      return false;
    }
    auto& row = results[next];
    row.reserve(sources.size());
    for (std::size_t i = 0; i < sources.size(); ++i) {
      auto& outcome = answer.outcomes[i];
      if (outcome) {
        row.emplace_back(std::move(*outcome));
      } else {
        row.emplace_back(fail(error_of(outcome.error(), sources[i], limits)));
      }
    }
    ++next;
    return true;
  }

  // The rest is not evaluated any more.
  void give_up(const Error& error) {
    for (; next < records.size(); ++next) {
      results[next].assign(sources.size(), Result<Outcome>(fail(error)));
    }
  }

  bool timed_out(std::size_t from) const {
    for (std::size_t i = from; i < next; ++i) {
      for (const auto& outcome : results[i]) {
        if (!outcome && outcome.error().code != "script_failed") return true;
      }
    }
    return false;
  }
};

}  // namespace

struct Scripts::Impl : std::enable_shared_from_this<Scripts::Impl> {
  Impl(Runtime& runtime_, std::string program, std::size_t workers)
      : runtime(runtime_), pool(std::make_shared<Pool>(runtime_, std::move(program), workers)) {}

  // Sends one frame and takes the answers. `end`: behind the last record of the frame.
  Task<Result<Ending>> talk(std::string key, std::string frame, Limits limits,
                            Conversation::Listener listener) {
    const Executor executor = co_await asio::this_coro::executor;
    auto taken = co_await pool->take(key);
    if (!taken) co_return fail(std::move(taken.error()));
    Worker worker = std::move(*taken);
    Ending ending = Ending::kBroken;
    {
      Conversation conversation(executor, runtime.timers(), worker, limits);
      ending = co_await conversation.hold(std::move(frame), std::move(listener));
    }
    const bool started = worker.ready;
    if (ending == Ending::kDone) {
      pool->give_back(std::move(worker));
    } else {
      pool->end(std::move(worker));
    }
    if (!started) {
      co_return fail(
          ErrorClass::kInternal, "script_unavailable",
          "A script worker started and ended again before it was ready.",
          "Look for what this system denies it: seccomp, limits of processes or memory.");
    }
    co_return ending;
  }

  Task<Result<void>> run_frame(std::shared_ptr<Work> work, std::string key) {
    const std::size_t first = work->next;
    std::size_t end = first;
    std::string frame = encode_run(work->sources, work->records, first, end, work->limits);
    if (frame.size() - kHeaderBytes > kMaxRequestBytes) {
      work->fail_record(first, {FailureKind::kFailed,
                                fmt::format("the record is larger than {} MiB, the most that a "
                                            "script can take",
                                            kMaxRequestBytes >> 20),
                                0, 0});
      co_return Result<void>{};
    }
    Conversation::Listener listener = [work, end](Answer& answer, std::size_t bytes) {
      return work->accept(answer, bytes, end);
    };
    auto ending = co_await talk(key, std::move(frame), work->limits, std::move(listener));
    if (!ending) co_return fail(std::move(ending.error()));
    if (*ending == Ending::kKilled && work->next < end) {
      work->fail_record(work->next, {FailureKind::kTimeout, {}, 0, 0});
    } else if (*ending == Ending::kBroken && work->next < end) {
      work->fail_record(
          work->next,
          {FailureKind::kFailed, "the worker process ended while it evaluated this record", 0, 0});
    }
    // It used up time, or a whole slice of it.
    if (work->timed_out(first) || work->next < end) pool->suspect(key);
    co_return Result<void>{};
  }

  static Task<Result<Results>> run(std::shared_ptr<Impl> impl, std::shared_ptr<Work> work) {
    const std::string key = key_of(work->sources);
    work->results.resize(work->records.size());
    while (work->next < work->records.size()) {
      if (work->stop && work->stop()) {
        work->give_up(Error(ErrorClass::kCancelled, "script_stopped",
                            "The pipeline stopped before the script had seen this record."));
        break;
      }
      if (work->bytes > kMaxRunBytes) {
        work->give_up(Error(
            ErrorClass::kFunction, "script_output_too_large",
            fmt::format("The results of this batch are larger than {} MiB.", kMaxRunBytes >> 20),
            "Give the pipeline smaller batches."));
        break;
      }
      auto done = co_await impl->run_frame(work, key);
      if (!done) co_return fail(std::move(done.error()));
    }
    co_return std::move(work->results);
  }

  static Task<Result<void>> check(std::shared_ptr<Impl> impl, Source source, Limits limits) {
    const bool expression = source.kind == Source::Kind::kExpression;
    const auto invalid = [expression](std::string message) {
      return fail(ErrorClass::kConfiguration, expression ? "invalid_expression" : "invalid_script",
                  std::move(message));
    };
    if (source.text.size() > kMaxSourceBytes) {
      co_return invalid(fmt::format("a script may have {} bytes, this one has {}", kMaxSourceBytes,
                                    source.text.size()));
    }
    auto found = std::make_shared<std::optional<Failure>>();
    Conversation::Listener listener = [found](Answer& answer, std::size_t) {
      auto* check = std::get_if<CheckAnswer>(&answer);
      if (check != nullptr) *found = std::move(check->problem);
      return check != nullptr || std::holds_alternative<Expired>(answer);
    };
    std::string frame = encode_check(source, limits);
    const std::string key = key_of({source});
    auto ending = co_await impl->talk(key, std::move(frame), limits, std::move(listener));
    if (!ending) co_return fail(std::move(ending.error()));
    if (*ending != Ending::kDone) {
      co_return invalid("it takes too long or too much memory to compile");
    }
    if (*found) co_return invalid(located(**found, source));
    co_return Result<void>{};
  }

  Runtime& runtime;
  std::shared_ptr<Pool> pool;
};

Scripts::Scripts(Runtime& runtime, std::string program, std::size_t workers)
    : impl_(std::make_shared<Impl>(runtime, std::move(program), workers)) {}

Scripts::~Scripts() {
  impl_->pool->close();
}

Task<Result<void>> Scripts::check(Source source, Limits limits) {
  return Impl::check(impl_, std::move(source), bounded(limits));
}

Task<Result<Scripts::Results>> Scripts::run(std::vector<Source> sources, std::vector<Names> records,
                                            Limits limits, std::function<bool()> stop) {
  auto work = std::make_shared<Work>();
  work->sources = std::move(sources);
  work->records = std::move(records);
  work->limits = bounded(limits);
  work->stop = std::move(stop);
  return Impl::run(impl_, std::move(work));
}

std::vector<int> Scripts::worker_pids() const {
  return impl_->pool->pids();
}

}  // namespace tributary::script
