#include "orchestrate/run/runner.hpp"

#include <fmt/format.h>

#include "orchestrate/run/batch_run.hpp"

namespace tributary::orchestrate {
namespace {

Error stopped_error() {
  return Error(ErrorClass::kCancelled, "pipeline_stopped", "The pipeline was stopped.",
               "Enable the pipeline and try again.");
}

Json cause_of(const connect::StateView& state) {
  if (!state.cause) return Json::null();
  const Error& error = state.cause->error;
  Json cause = json_object();
  cause.insert_or_assign("class", std::string(to_string(error.error_class)));
  cause.insert_or_assign("code", error.code);
  cause.insert_or_assign("message", error.message);
  return cause;
}

// What a trigger.connectionStatus gives to the pipeline.
Json status_record(const ConnectionNews& news, std::int64_t suppressed,
                   const std::string& trigger) {
  const std::string at = format_utc(news.state.since);
  Json meta = json_object();
  meta.insert_or_assign("trigger", trigger);
  meta.insert_or_assign("connection", news.connection_name);
  meta.insert_or_assign("time", at);
  Json record = json_object();
  record.insert_or_assign("connection", news.connection_name);
  record.insert_or_assign("connectionId", news.connection_id);
  record.insert_or_assign("type", news.type);
  record.insert_or_assign("labels", news.labels.is_object() ? news.labels : json_object());
  record.insert_or_assign("from", std::string(to_string(news.from)));
  record.insert_or_assign("to", std::string(to_string(news.state.status)));
  record.insert_or_assign("cause", cause_of(news.state));
  record.insert_or_assign("at", at);
  record.insert_or_assign("epoch", news.state.epoch);
  record.insert_or_assign("suppressed", suppressed);
  record.insert_or_assign("$meta", std::move(meta));
  return record;
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

// A batch on its way into the pipeline. Records of a function are made on the pipeline's executor,
// not on the connection's.
struct Runner::Job {
  std::size_t trigger = 0;
  std::shared_ptr<const Batch> batch;  // of a trigger.function
  Origin origin;
  std::vector<Record> records;  // of other triggers
  bool alone = false;           // its own row in the history
  Schedule* schedule = nullptr;
  std::shared_ptr<Event> done;
  Result<void> result;
  store::RunRow row;
};

struct Runner::Schedule {
  std::size_t trigger = 0;
  Duration interval{};
  SteadyTime grid;  // tick 0
  std::int64_t last_tick = 0;
  bool outstanding = false;  // the last tick is still queued or running
  std::unique_ptr<Timer> timer;
};

struct Runner::StatusTrigger {
  StatusTrigger(std::size_t index, connect::DigestRule rule) : trigger(index), digests(rule) {}

  std::size_t trigger;
  connect::DigestSet<ConnectionNews> digests;  // by connection
  std::unique_ptr<Timer> timer;
};

Runner::Runner(std::shared_ptr<const Plan> plan, RunnerContext context)
    : plan_(std::move(plan)),
      context_(std::move(context)),
      statistics_(plan_->nodes.size()),
      states_(plan_->nodes.size()),
      time_(*plan_, states_, context_.executor, context_.clock, context_.timers),
      random_(random_seed()),
      queue_(context_.executor, kMaxWaitingBatches),
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
}

Runner::~Runner() = default;

void Runner::start() {
  spawn(context_.executor, take_batches(shared_from_this()));
}

Task<void> Runner::take_batches(std::shared_ptr<Runner> self) {
  if (self->desk_) {
    co_await self->desk_->open(self->states_);
    for (std::size_t i = 0; i < self->states_.size(); ++i) {
      self->statistics_.restore_held(i, self->states_[i].held);
    }
  }
  for (std::size_t i = 0; i < self->plan_->nodes.size(); ++i) {
    const PlanNode& node = self->plan_->nodes[i];
    if (node.trigger == TriggerKind::kConnectionStatus)
      self->statuses_.push_back(std::make_unique<StatusTrigger>(i, node.digest));
    if (node.trigger != TriggerKind::kSchedule || self->stopping_.is_set()) continue;
    auto schedule = std::make_unique<Schedule>();
    schedule->trigger = i;
    schedule->interval = node.interval;
    schedule->grid = self->context_.timers.now();
    self->arm(*schedule);
    self->schedules_.push_back(std::move(schedule));
  }
  // What was held when the hub ended may be due.
  co_await self->keep_time();
  while (true) {
    auto job = co_await self->queue_.pop();
    if (!job) break;
    const std::shared_ptr<Job> current = std::move(*job);
    co_await self->process(*current);
    if (current->schedule != nullptr) current->schedule->outstanding = false;
    current->done->set();
    co_await self->keep_time();
  }
  self->schedules_.clear();
  self->statuses_.clear();
  self->let_go_of_held();
  self->recorder_.close();
  self->failures_.close();
  self->live_.close();
  if (self->desk_) co_await self->desk_->close();
  self->finished_.set();
}

Task<void> Runner::stop() {
  auto self = shared_from_this();
  const Executor executor = context_.executor;
  auto work = [self]() -> Task<void> {
    for (auto& schedule : self->schedules_) schedule->timer.reset();
    for (auto& status : self->statuses_) status->timer.reset();
    self->time_.disarm();
    self->stopping_.set();
    self->live_.stop();
    self->queue_.close();
    return self->finished_.wait();
  };
  co_await run_on(executor, work);
}

Task<Result<void>> Runner::accept(std::size_t trigger, std::shared_ptr<const Batch> batch,
                                  Origin origin) {
  auto job = std::make_shared<Job>();
  job->trigger = trigger;
  job->batch = std::move(batch);
  job->origin = std::move(origin);
  return hand_over(shared_from_this(), std::move(job));
}

// Not a member: the caller may let go of the runner before the task begins.
Task<Result<void>> Runner::hand_over(std::shared_ptr<Runner> self, std::shared_ptr<Job> job) {
  const Executor executor = self->context_.executor;
  const bool wait = self->plan_->durable;
  auto work = [self, job, wait] { return enqueue(self, job, wait); };
  co_return co_await run_on(executor, work);
}

Task<Result<store::RunRow>> Runner::run(std::size_t trigger, std::vector<Record> records) {
  auto self = shared_from_this();
  auto job = std::make_shared<Job>();
  job->trigger = trigger;
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

Task<Result<void>> Runner::enqueue(std::shared_ptr<Runner> self, std::shared_ptr<Job> job,
                                   bool wait) {
  job->done = std::make_shared<Event>(self->context_.executor);
  const std::shared_ptr<Event> done = job->done;
  const bool queued = co_await self->queue_.push(job);
  if (!queued) co_return fail(stopped_error());
  if (!wait) co_return Result<void>{};
  co_await done->wait();
  co_return job->result;
}

Task<void> Runner::process(Job& job) {
  if (seat_) co_await seat_->wait();
  if (stopping_.is_set() && plan_->durable && job.batch) {
    // Not acknowledged yet: it stays with its source.
    job.result = fail(stopped_error());
    co_return;
  }
  std::vector<Record> records = std::move(job.records);
  const UtcTime arrived = context_.clock.utc_now();
  if (job.batch) {
    records = records_of(*job.batch, job.origin, arrived);
  } else {
    job.records = records;
  }
  if (records.empty()) co_return;
  const std::shared_ptr<LiveRun> live = live_.begin(job.alone);
  const BatchRun::Services services{context_.executor,  context_.clock, context_.timers,
                                    context_.functions, random_,        live->stopping,
                                    statistics_,        states_,        time_,
                                    desk_.get(),        !job.alone,     context_.scripts,
                                    live.get()};
  BatchRun batch(*plan_, job.trigger, services);
  BatchReport& report = batch.report();
  live_.name(*live, report.run_id, report.trigger, report.started_at);
  co_await batch.execute(std::move(records));
  live_.end(live);
  if (batch.not_kept()) {
    job.result = fail(*batch.not_kept());
  } else if (report.cancelled && !live->cancelled()) {
    // Whoever called it off does not want it again.
    job.result = fail(stopped_error());
  }
  keep_input(job, report, arrived);
  failures_.add(report);
  if (job.alone) {
    job.row = recorder_.alone(report);
  } else if (live->shown() && plan_->history != History::kOff) {
    context_.publish(recorder_.alone(report));
  } else {
    recorder_.add(report);
  }
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
    const BatchRun::Services services{context_.executor,  context_.clock, context_.timers,
                                      context_.functions, random_,        stopping_,
                                      statistics_,        states_,        time_,
                                      desk_.get(),        true,           context_.scripts};
    BatchRun batch(*plan_, *node, services);
    co_await batch.on_time();
    recorder_.add(batch.report());
  }
  if (!desk_) {
    // Nobody writes them to disk.
    for (NodeState& state : states_) state.take_changes();
  }
  if (stopping_.is_set()) co_return;
  time_.arm([this] {
    // Without room there are batches to come, and time is kept after each.
    auto job = std::make_shared<Job>();
    job->done = std::make_shared<Event>(context_.executor);
    queue_.try_push(std::move(job));
  });
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

void Runner::arm(Schedule& schedule) {
  const SteadyTime when = schedule.grid + schedule.interval * (schedule.last_tick + 1);
  schedule.timer =
      context_.timers.at(context_.executor, when, [this, &schedule] { tick(schedule); });
}

void Runner::tick(Schedule& schedule) {
  const SteadyTime now = context_.timers.now();
  const std::int64_t current = (now - schedule.grid) / schedule.interval;
  // Ticks that the clock jumped over, and this one when the last is still at work, are merged into
  // the next.
  std::int64_t missed = current - schedule.last_tick - 1;
  schedule.last_tick = current;
  bool queued = false;
  if (!schedule.outstanding) {
    auto job = std::make_shared<Job>();
    job->trigger = schedule.trigger;
    job->schedule = &schedule;
    job->done = std::make_shared<Event>(context_.executor);
    const std::string time = format_utc(context_.clock.utc_now());
    Json meta = json_object();
    meta.insert_or_assign("trigger", plan_->nodes[schedule.trigger].id);
    meta.insert_or_assign("time", time);
    Json record = json_object();
    record.insert_or_assign("tick", current);
    record.insert_or_assign("time", time);
    record.insert_or_assign("$meta", std::move(meta));
    job->records.push_back(std::move(record));
    queued = queue_.try_push(std::move(job));
    schedule.outstanding = queued;
  }
  if (!queued) ++missed;
  if (missed > 0) statistics_.add_missed_ticks(missed);
  arm(schedule);
}

void Runner::status_changed(std::size_t trigger, ConnectionNews news) {
  const connect::ConnectionFilter& wanted = plan_->nodes[trigger].statuses.connections;
  if (!news.removed && !wanted.takes(news.connection_id, news.type, news.labels)) return;
  asio::post(context_.executor, [self = shared_from_this(), trigger, news = std::move(news)] {
    for (auto& status : self->statuses_) {
      if (status->trigger == trigger) self->note(*status, news);
    }
  });
}

void Runner::note(StatusTrigger& status, ConnectionNews news) {
  if (stopping_.is_set()) return;
  const std::string id = news.connection_id;
  if (news.removed) {
    status.digests.forget(id);
  } else {
    const connect::Status from = news.from;
    const connect::Status to = news.state.status;
    const bool wanted = plan_->nodes[status.trigger].statuses.takes(from, to);
    status.digests.change(context_.timers.now(), id, connect::digest_state(from),
                          connect::digest_state(to), wanted, std::move(news));
  }
  tell(status);
}

void Runner::tell(StatusTrigger& status) {
  status.timer.reset();
  const SteadyTime now = context_.timers.now();
  while (queue_.size() < kMaxWaitingBatches) {
    auto told = status.digests.take(now);
    if (!told) break;
    auto job = std::make_shared<Job>();
    job->trigger = status.trigger;
    job->done = std::make_shared<Event>(context_.executor);
    job->records.push_back(
        status_record(told->news, told->suppressed, plan_->nodes[status.trigger].id));
    queue_.try_push(std::move(job));
  }
  const auto due = status.digests.due();
  if (!due) return;
  const SteadyTime when = *due > now ? *due : now + kStatusRetry;
  status.timer = context_.timers.at(context_.executor, when, [this, &status] { tell(status); });
}

}  // namespace tributary::orchestrate
