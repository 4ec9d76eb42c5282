// trigger.connectionStatus, trigger.pipeline and trigger.error: news that is merged while the
// pipeline is busy.
#include "orchestrate/run/sources.hpp"

namespace tributary::orchestrate {
namespace {

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

class StatusSource final : public Source {
 public:
  StatusSource(SourceHost& host, std::size_t trigger)
      : host_(host), trigger_(trigger), digests_(host.plan->nodes[trigger].digest) {}

  void stop() override { timer_.reset(); }

  void status_changed(const ConnectionNews& news) override {
    const std::string id = news.connection_id;
    if (news.removed) {
      digests_.forget(id);
    } else {
      const connect::Status from = news.from;
      const connect::Status to = news.state.status;
      const bool wanted = host_.plan->nodes[trigger_].statuses.takes(from, to);
      digests_.change(host_.timers->now(), id, connect::digest_state(from),
                      connect::digest_state(to), wanted, news);
    }
    tell();
  }

 private:
  // Queues what is due to be told, as far as there is room, and arms the timer for the rest.
  void tell() {
    timer_.reset();
    const SteadyTime now = host_.timers->now();
    while (host_.has_room()) {
      auto told = digests_.take(now);
      if (!told) break;
      Start start;
      start.trigger = trigger_;
      start.records.push_back(
          status_record(told->news, told->suppressed, host_.plan->nodes[trigger_].id));
      host_.offer(std::move(start));
    }
    const auto due = digests_.due();
    if (!due) return;
    const SteadyTime when = *due > now ? *due : now + kNewsRetry;
    timer_ = host_.timers->at(*host_.executor, when, [this] { tell(); });
  }

  SourceHost& host_;
  std::size_t trigger_;
  connect::DigestSet<ConnectionNews> digests_;  // by connection
  std::unique_ptr<Timer> timer_;
};

// One batch of each kind of end is on its way at most: a pipeline that runs a thousand times a
// second is told of as often as this one can take it, with the number of runs.
class PipelineSource final : public Source {
 public:
  PipelineSource(SourceHost& host, std::size_t trigger)
      : host_(host), trigger_(trigger), rule_(*host.plan->nodes[trigger].settings->pipeline) {}

  void stop() override {
    timer_.reset();
    *alive_ = false;
  }

  void run_ended(const RunEnd& end) override {
    if (end.pipeline_id != rule_.pipeline_id || !wants(end)) return;
    std::optional<RunEnd>& kind = end.succeeded() ? succeeded_ : failed_;
    if (kind) {
      kind->merge(end);
    } else {
      kind = end;
    }
    tell();
  }

 private:
  bool wants(const RunEnd& end) const {
    if (rule_.on == EndedHow::kAny) return true;
    return rule_.on == EndedHow::kSuccess ? end.succeeded() : end.failed();
  }

  void tell() {
    timer_.reset();
    for (auto* kind : {&failed_, &succeeded_}) {
      if (!*kind || (outstanding_ && host_.merges())) continue;
      if (!host_.has_room()) {
        timer_ =
            host_.timers->at(*host_.executor, host_.timers->now() + kNewsRetry, [this] { tell(); });
        return;
      }
      const RunEnd end = std::move(**kind);
      kind->reset();
      Start start;
      start.trigger = trigger_;
      start.from_error = end.from_error;
      start.records.push_back(end_record(end, host_.plan->nodes[trigger_].id, rule_.output));
      outstanding_ = true;
      start.finished = [this, alive = alive_] {
        if (!*alive) return;
        outstanding_ = false;
        tell();
      };
      if (host_.offer(std::move(start)) != Offer::kTaken) outstanding_ = false;
    }
  }

  SourceHost& host_;
  std::size_t trigger_;
  const PipelineRule& rule_;
  std::optional<RunEnd> succeeded_;
  std::optional<RunEnd> failed_;
  bool outstanding_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Timer> timer_;
};

class ErrorSource final : public Source {
 public:
  static constexpr std::size_t kMaxBatch = 100;

  ErrorSource(SourceHost& host, std::size_t trigger)
      : host_(host),
        trigger_(trigger),
        rule_(*host.plan->nodes[trigger].settings->error),
        digest_(rule_.debounce) {}

  void stop() override { timer_.reset(); }

  void run_ended(const RunEnd& end) override {
    const auto& ids = rule_.pipeline_ids;
    if (!ids.empty() && std::ranges::find(ids, end.pipeline_id) == ids.end()) return;
    for (const NodeFailure& failure : end.failures) {
      if (!failure.handled || rule_.handled) digest_.add(end, failure);
    }
    tell();
  }

 private:
  void tell() {
    timer_.reset();
    const SteadyTime now = host_.timers->now();
    if (host_.has_room()) {
      Start start;
      start.trigger = trigger_;
      start.from_error = true;
      while (start.records.size() < kMaxBatch) {
        auto told = digest_.take(now);
        if (!told) break;
        start.records.push_back(failure_record(told->end, told->failure, told->suppressed,
                                               host_.plan->nodes[trigger_].id));
      }
      if (!start.records.empty()) host_.offer(std::move(start));
    }
    const auto due = digest_.due();
    if (!due) return;
    const SteadyTime when = *due > now ? *due : now + kNewsRetry;
    timer_ = host_.timers->at(*host_.executor, when, [this] { tell(); });
  }

  SourceHost& host_;
  std::size_t trigger_;
  const ErrorRule& rule_;
  ErrorDigest digest_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace

std::shared_ptr<Source> make_status_source(SourceHost& host, std::size_t trigger) {
  return std::make_shared<StatusSource>(host, trigger);
}
std::shared_ptr<Source> make_pipeline_source(SourceHost& host, std::size_t trigger) {
  return std::make_shared<PipelineSource>(host, trigger);
}
std::shared_ptr<Source> make_error_source(SourceHost& host, std::size_t trigger) {
  return std::make_shared<ErrorSource>(host, trigger);
}

std::shared_ptr<Source> make_source(SourceHost& host, std::size_t trigger,
                                    const std::optional<Downtime>& downtime) {
  const PlanNode& node = host.plan->nodes[trigger];
  switch (node.trigger) {
    case TriggerKind::kSchedule:
      return node.settings->cron ? make_cron_source(host, trigger, downtime)
                                 : make_interval_source(host, trigger);
    case TriggerKind::kConnectionStatus:
      return make_status_source(host, trigger);
    case TriggerKind::kPoll:
      return make_poll_source(host, trigger);
    case TriggerKind::kPipeline:
      return make_pipeline_source(host, trigger);
    case TriggerKind::kError:
      return make_error_source(host, trigger);
    case TriggerKind::kNone:
    case TriggerKind::kFunction:
    case TriggerKind::kManual:
    case TriggerKind::kWebhook:
      break;
  }
  return nullptr;
}

}  // namespace tributary::orchestrate
