#include "orchestrate/run/runner.hpp"

#include <fmt/format.h>

#include "base/id.hpp"
#include "orchestrate/run/batch_run.hpp"
#include "orchestrate/stopped.hpp"

namespace tributary::orchestrate {
namespace {

Error busy_error() {
  return Error(ErrorClass::kFunction, "pipeline_busy",
               "The pipeline is at work, and its overlap policy lets nothing wait.",
               "Try again, or give the pipeline the overlap policy queue.");
}
Error superseded_error() {
  return Error(ErrorClass::kCancelled, "superseded",
               "A later batch took the place of this one: the overlap policy is restart.");
}

// Copies no more than it must: the batch is shared with others.
std::vector<Record> records_of(const Batch& batch, const Origin& origin, UtcTime now) {
  if (!batch.is_scans()) return to_records(Batch(batch), origin, now);
  std::vector<Record> records;
  records.reserve(batch.scans().size());
  for (const Scan& scan : batch.scans()) records.push_back(to_record(scan, origin));
  return records;
}

}  // namespace

// Somebody who waits for the answer of a respond node.
struct Runner::Reply {
  explicit Reply(const Executor& executor) : ready(executor) {}
  Event ready;  // answered, or the batch is over
  std::optional<hooks::Answer> answer;
};

// A batch on its way into the pipeline. Records of a function are made on the pipeline's executor,
// not on the connection's.
struct Runner::Job {
  explicit Job(const Executor& executor) : done(executor) {}

  std::size_t trigger = 0;
  std::shared_ptr<const Batch> batch;  // of a trigger.function
  Origin origin;
  std::vector<Record> records;  // of other triggers
  bool alone = false;           // its own row in the history, which the caller stores
  bool published = false;       // its own row, which is published
  bool from_error = false;
  std::string run_id;  // told already
  std::shared_ptr<Reply> reply;
  std::function<void()> finished;
  Event done;
  bool superseded = false;  // by a later batch; its run, if it has begun, is called off
  Result<void> result;
  store::RunRow row;

  std::int64_t count() const {
    return static_cast<std::int64_t>(batch ? batch->size() : records.size());
  }
};

Runner::Runner(std::shared_ptr<const Plan> plan, RunnerContext context)
    : plan_(std::move(plan)),
      context_(std::move(context)),
      statistics_(plan_->nodes.size()),
      states_(plan_->nodes.size()),
      time_(*plan_, states_, context_.executor, context_.clock, context_.timers),
      random_(random_seed()),
      queue_(context_.executor, plan_->overlap.size),
      stopping_(context_.executor),
      finished_(context_.executor),
      recorder_(*plan_, context_.executor, context_.timers, context_.publish),
      live_(*plan_, context_.executor, context_.timers,
            [this](store::RunRow row, bool store) {
              if (context_.progress) context_.progress(std::move(row), store);
            }),
      failures_(*plan_, context_.executor, context_.timers,
                [this](std::vector<store::PipelineFailureRow> rows) {
                  if (context_.failures) context_.failures(std::move(rows));
                }) {
  if (context_.turns) seat_ = std::make_unique<Turns::Seat>(context_.turns, plan_->priority);
  if (plan_->durable && context_.spool != nullptr) {
    CourierContext courier{context_.executor, context_.clock, context_.timers, context_.functions,
                           *context_.spool};
    desk_ = std::make_unique<Desk>(*plan_, std::move(courier), stopping_);
  }
  SourceHost::plan = plan_.get();
  SourceHost::executor = &context_.executor;
  SourceHost::clock = &context_.clock;
  SourceHost::timers = &context_.timers;
  SourceHost::functions = &context_.functions;
}

Runner::~Runner() = default;

void Runner::start() {
  spawn(context_.executor, take_batches(shared_from_this()));
}

void Runner::start_sources() {
  for (std::size_t i = 0; i < plan_->nodes.size() && !stopping_.is_set(); ++i) {
    auto source = make_source(*this, i, context_.downtime);
    if (!source) continue;
    sources_.emplace_back(i, std::move(source));
  }
  for (const auto& [trigger, source] : sources_) source->start();
}

Task<void> Runner::take_batches(std::shared_ptr<Runner> self) {
  if (self->desk_) {
    co_await self->desk_->open(self->states_);
    for (std::size_t i = 0; i < self->states_.size(); ++i) {
      self->statistics_.restore_held(i, self->states_[i].held);
    }
  }
  self->start_sources();
  self->workers_ = self->plan_->overlap.parallel;
  for (std::size_t i = 1; i < self->plan_->overlap.parallel; ++i) {
    auto helper = [](std::shared_ptr<Runner> runner) -> Task<void> { co_await runner->work(); };
    spawn(self->context_.executor, helper(self));
  }
  // What was held when the hub ended may be due.
  co_await self->keep_time();
  co_await self->work();
}

// Takes batches until there are no more. Several do so side by side where the policy is parallel.
Task<void> Runner::work() {
  while (true) {
    auto job = co_await queue_.pop();
    if (!job) break;
    const JobPointer current = std::move(*job);
    active_.push_back(current);
    co_await process(current);
    std::erase(active_, current);
    finish(current);
    co_await keep_time();
  }
  if (--workers_ > 0) co_return;
  for (const auto& [trigger, source] : sources_) source->stop();
  sources_.clear();
  let_go_of_held();
  recorder_.close();
  failures_.close();
  live_.close();
  if (desk_) co_await desk_->close();
  finished_.set();
}

void Runner::finish(const JobPointer& job) {
  if (job->reply) job->reply->ready.set();
  job->done.set();
  if (job->finished) std::exchange(job->finished, nullptr)();
}

void Runner::refuse(const JobPointer& job, Error error) {
  statistics_.add_skipped(job->count());
  job->result = fail(std::move(error));
  finish(job);
}

Task<void> Runner::stop() {
  auto self = shared_from_this();
  const Executor executor = context_.executor;
  auto work = [self]() -> Task<void> {
    for (const auto& [trigger, source] : self->sources_) source->stop();
    self->time_.disarm();
    self->stopping_.set();
    self->live_.stop();
    self->queue_.close();
    return self->finished_.wait();
  };
  co_await run_on(executor, work);
}

Runner::JobPointer Runner::make_job(std::size_t trigger) {
  auto job = std::make_shared<Job>(context_.executor);
  job->trigger = trigger;
  return job;
}

bool Runner::make_way(const Job&) {
  const bool idle = active_.empty() && queue_.size() == 0;
  if (idle) return true;
  if (plan_->overlap.policy == OverlapPolicy::kSkip) return false;
  if (plan_->overlap.policy != OverlapPolicy::kRestart) return true;
  for (const JobPointer& job : active_) {
    job->superseded = true;
    live_.cancel(job->run_id);
  }
  for (const JobPointer& job : queue_.clear()) refuse(job, superseded_error());
  return true;
}

Runner::JobPointer Runner::to_job(Runner& runner, Start start) {
  auto job = runner.make_job(start.trigger);
  job->records = std::move(start.records);
  job->from_error = start.from_error;
  job->finished = std::move(start.finished);
  return job;
}

Offer Runner::offer(Start start) {
  if (stopping_.is_set()) return Offer::kFull;
  const JobPointer job = to_job(*this, std::move(start));
  if (!make_way(*job)) {
    statistics_.add_skipped(job->count());
    return Offer::kSkipped;
  }
  return queue_.try_push(job) ? Offer::kTaken : Offer::kFull;
}

Task<Offer> Runner::offer_patiently(Start start) {
  const JobPointer job = to_job(*this, std::move(start));
  if (stopping_.is_set()) co_return Offer::kFull;
  if (!make_way(*job)) {
    statistics_.add_skipped(job->count());
    co_return Offer::kSkipped;
  }
  const bool queued = co_await queue_.push(job);
  co_return queued ? Offer::kTaken : Offer::kFull;
}

// Under the policies skip and restart nothing has to wait for room: they decide themselves.
bool Runner::has_room() const {
  const OverlapPolicy policy = plan_->overlap.policy;
  const bool decides = policy == OverlapPolicy::kSkip || policy == OverlapPolicy::kRestart;
  return !stopping_.is_set() && (decides || queue_.has_room());
}

void Runner::source_failed(std::size_t trigger, const Error& error) {
  statistics_.source_failed(trigger, error, context_.clock.utc_now());
}

Task<Result<void>> Runner::accept(std::size_t trigger, std::shared_ptr<const Batch> batch,
                                  Origin origin) {
  auto job = make_job(trigger);
  job->batch = std::move(batch);
  job->origin = std::move(origin);
  return hand_over(shared_from_this(), std::move(job));
}

// Not a member: the caller may let go of the runner before the task begins.
Task<Result<void>> Runner::hand_over(std::shared_ptr<Runner> self, JobPointer job) {
  const Executor executor = self->context_.executor;
  const bool wait = self->plan_->durable;
  auto work = [self, job, wait] { return enqueue(self, job, wait); };
  Result<void> taken = co_await run_on(executor, work);
  // The policy wants it so: the source goes on.
  if (!taken && taken.error().code == busy_error().code) co_return Result<void>{};
  // Cancelled would say that nobody wants it. Its source shall keep it, and give it again.
  if (!taken && wait && taken.error().error_class == ErrorClass::kCancelled)
    taken.error().error_class = ErrorClass::kBusy;
  co_return taken;
}

Task<Result<store::RunRow>> Runner::run(std::size_t trigger, std::vector<Record> records) {
  auto self = shared_from_this();
  auto job = make_job(trigger);
  job->records = std::move(records);
  job->alone = true;
  const Executor executor = context_.executor;
  auto work = [self, job] { return enqueue(self, job, true); };
  Result<void> taken = co_await run_on(executor, work);
  // A run that was cut short has a row that says so; one whose records could not be kept failed.
  const bool cut_short = !taken && taken.error().error_class == ErrorClass::kCancelled;
  if (!taken && (job->row.id.empty() || !cut_short)) co_return fail(std::move(taken.error()));
  co_return std::move(job->row);
}

Task<bool> Runner::cancel(std::string run_id) {
  auto self = shared_from_this();
  const Executor executor = context_.executor;
  auto work = [self, run_id]() -> Task<bool> { co_return self->live_.cancel(run_id); };
  co_return co_await run_on(executor, work);
}

Task<Result<void>> Runner::enqueue(std::shared_ptr<Runner> self, JobPointer job, bool wait) {
  if (!self->make_way(*job)) {
    self->statistics_.add_skipped(job->count());
    co_return fail(busy_error());
  }
  const bool queued = co_await self->queue_.push(job);
  if (!queued) co_return fail(pipeline_stopped());
  if (!wait) co_return Result<void>{};
  co_await job->done.wait();
  co_return job->result;
}

Task<CallResult> Runner::call(std::size_t trigger, Record record) {
  auto self = shared_from_this();
  auto job = make_job(trigger);
  job->records.push_back(std::move(record));
  job->published = true;
  job->run_id = make_id(context_.clock.utc_now());
  if (plan_->nodes[trigger].answers) job->reply = std::make_shared<Reply>(context_.executor);
  const Executor executor = context_.executor;
  auto work = [self, job] { return call_here(self, job); };
  CallResult result = co_await run_on(executor, work);
  co_return result;
}

Task<CallResult> Runner::call_here(std::shared_ptr<Runner> self, JobPointer job) {
  using enum CallResult::Outcome;
  CallResult result;
  result.run_id = job->run_id;
  const hooks::Rule& rule = *self->plan_->nodes[job->trigger].settings->hook;
  const SteadyTime now = self->context_.timers.now();
  const SteadyTime limit = now + rule.answer_timeout;
  const auto is = [&result](CallResult::Outcome outcome) {
    result.outcome = outcome;
    return result;
  };
  if (self->stopping_.is_set()) co_return is(kStopped);
  if (!self->make_way(*job)) {
    self->statistics_.add_skipped(job->count());
    co_return is(kSkipped);
  }
  if (self->waiting_calls_ >= kMaxWaitingCalls) co_return is(kFull);
  ++self->waiting_calls_;
  const SteadyTime room_limit = std::min(limit, now + kMostRoomWait);
  const bool queued = co_await self->queue_.push_until(job, self->context_.timers, room_limit);
  --self->waiting_calls_;
  if (!queued) co_return is(self->stopping_.is_set() ? kStopped : kFull);
  if (job->reply) {
    const bool ready = co_await job->reply->ready.wait_until(self->context_.timers, limit);
    if (!ready) co_return is(kTimedOut);
  }
  if (self->plan_->durable || (job->reply && !job->reply->answer)) {
    const bool over = co_await job->done.wait_until(self->context_.timers, limit);
    if (!over) co_return is(kTimedOut);
    if (!job->result) {
      const bool stopped = job->result.error().error_class == ErrorClass::kCancelled;
      co_return is(stopped ? kStopped : kFull);
    }
  }
  if (!job->reply) co_return is(kAccepted);
  if (!job->reply->answer) co_return is(kUnanswered);
  result.answer = std::move(*job->reply->answer);
  co_return is(kAnswered);
}

BatchRun Runner::make_run(Job& job, LiveRun& live) {
  // Who waits for an answer does not wait for room on the disk, too.
  const bool patient = !job.alone && !job.published;
  BatchRun::Services services{context_.executor,
                              context_.clock,
                              context_.timers,
                              context_.functions,
                              random_,
                              live.stopping,
                              statistics_,
                              states_,
                              time_,
                              desk_.get(),
                              patient,
                              context_.scripts,
                              &live};
  if (job.reply) {
    services.respond = [reply = job.reply](hooks::Answer answer) {
      if (reply->answer) return;
      reply->answer = std::move(answer);
      reply->ready.set();
    };
  }
  return BatchRun(*plan_, job.trigger, std::move(services), job.run_id);
}

Task<void> Runner::process(JobPointer job) {
  if (seat_) co_await seat_->wait();
  if (job->superseded) {
    statistics_.add_skipped(job->count());
    job->result = fail(superseded_error());
    co_return;
  }
  if (stopping_.is_set() && plan_->durable && (job->batch || job->published)) {
    // Not acknowledged yet: it stays with its source.
    job->result = fail(pipeline_stopped());
    co_return;
  }
  std::vector<Record> records = std::move(job->records);
  const UtcTime arrived = context_.clock.utc_now();
  if (job->batch) {
    records = records_of(*job->batch, job->origin, arrived);
  } else {
    job->records = records;
  }
  if (records.empty()) co_return;
  const std::shared_ptr<LiveRun> live = live_.begin(job->alone || job->published);
  BatchRun batch = make_run(*job, *live);
  BatchReport& report = batch.report();
  job->run_id = report.run_id;
  live_.name(*live, report.run_id, report.trigger, report.started_at);
  const bool wanted = context_.interest && context_.interest->ends;
  if (wanted && context_.interest->output) batch.keep_output();
  co_await batch.execute(std::move(records));
  live_.end(live);
  if (batch.not_kept()) {
    job->result = fail(*batch.not_kept());
  } else if (job->superseded && report.cancelled) {
    job->result = fail(superseded_error());
  } else if (report.cancelled && !live->cancelled()) {
    // Whoever called it off does not want it again.
    job->result = fail(pipeline_stopped());
  }
  keep_input(*job, report, arrived);
  failures_.add(report);
  if (job->alone) {
    job->row = recorder_.alone(report);
  } else if ((job->published || live->shown()) && plan_->history != History::kOff) {
    context_.publish(recorder_.alone(report));
  } else {
    recorder_.add(report);
  }
  if (wanted) tell_end(*job, report, std::move(batch.output()));
}

// Runs by hand and runs that failed can be run again.
void Runner::keep_input(Job& job, BatchReport& report, UtcTime arrived) {
  if (!job.alone && report.flow.errors + report.flow.handled == 0) return;
  std::vector<Record> records = std::move(job.records);
  if (job.batch) records = records_of(*job.batch, job.origin, arrived);
  report.input = json_object();
  report.input.insert_or_assign("trigger", report.trigger);
  report.input.insert_or_assign("records",
                                Json(jsoncons::json_array_arg, records.begin(), records.end()));
}

Task<void> Runner::keep_time() {
  if (const auto node = time_.first_due()) {
    BatchRun::Services services{context_.executor,  context_.clock, context_.timers,
                                context_.functions, random_,        stopping_,
                                statistics_,        states_,        time_,
                                desk_.get(),        true,           context_.scripts};
    BatchRun batch(*plan_, *node, std::move(services), {});
    co_await batch.on_time();
    recorder_.add(batch.report());
    failures_.add(batch.report());
    if (context_.interest && context_.interest->ends)
      tell_end(*make_job(*node), batch.report(), {});
  }
  if (!desk_) {
    // Nobody writes them to disk.
    for (NodeState& state : states_) state.take_changes();
  }
  if (stopping_.is_set()) co_return;
  // Without room there are batches to come, and time is kept after each.
  time_.arm([this] { queue_.try_push(make_job(0)); });
}

void Runner::let_go_of_held() {
  if (desk_) return;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].held > 0) statistics_.drop_held(i, states_[i].held);
    states_[i] = {};
  }
}

void Runner::connection_is_back(std::string connection_id) {
  if (!desk_) return;
  asio::post(context_.executor, [self = shared_from_this(), id = std::move(connection_id)] {
    self->desk_->connected(id);
  });
}

void Runner::dead_letters_released() {
  if (!desk_) return;
  asio::post(context_.executor, [self = shared_from_this()] { self->desk_->released(); });
}

void Runner::tell_end(const Job& job, const BatchReport& report, std::deque<Json> output) {
  RunEnd end;
  end.pipeline_id = plan_->pipeline_id;
  end.pipeline_name = get_string(plan_->pipeline, "name");
  end.run_id = report.run_id;
  end.trigger = report.trigger;
  end.status = run_status(report.flow, report.cancelled);
  end.started_at = report.started_at;
  end.ended_at = report.ended_at;
  end.flow = report.flow;
  end.output = std::move(output);
  end.from_error = job.from_error;
  for (const NodeTrace& trace : report.nodes) {
    if (trace.counts.errors == 0 || !trace.counts.last_error) continue;
    const PlanNode& node = plan_->nodes[trace.node];
    add_failure(end.failures, {node.id, *trace.counts.last_error, trace.counts.last_failed_input,
                               trace.counts.errors, node.on_error != OnError::kStop});
  }
  context_.ended(std::move(end));
}

void Runner::status_changed(std::size_t trigger, ConnectionNews news) {
  const connect::ConnectionFilter& wanted = plan_->nodes[trigger].statuses.connections;
  if (!news.removed && !wanted.takes(news.connection_id, news.type, news.labels)) return;
  asio::post(context_.executor, [self = shared_from_this(), trigger, news = std::move(news)] {
    if (self->stopping_.is_set()) return;
    for (const auto& [index, source] : self->sources_) {
      if (index == trigger) source->status_changed(news);
    }
  });
}

void Runner::run_ended(std::size_t trigger, std::shared_ptr<const RunEnd> end) {
  asio::post(context_.executor, [self = shared_from_this(), trigger, end = std::move(end)] {
    if (self->stopping_.is_set()) return;
    for (const auto& [index, source] : self->sources_) {
      if (index == trigger) source->run_ended(*end);
    }
  });
}

}  // namespace tributary::orchestrate
