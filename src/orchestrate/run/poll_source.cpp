// trigger.poll: a read function that is called on a fixed grid, and starts with what changed.
#include "orchestrate/run/sources.hpp"

namespace tributary::orchestrate {
namespace {

class PollSource final : public Source, public std::enable_shared_from_this<PollSource> {
 public:
  PollSource(SourceHost& host, std::size_t trigger)
      : host_(host), trigger_(trigger), rule_(*host.plan->nodes[trigger].settings->poll) {}

  void start() override {
    grid_ = host_.timers->now();
    // At once: nobody waits an hour for the first value.
    spawn(*host_.executor, poll(shared_from_this(), host_.hold()));
  }
  void stop() override {
    stopped_ = true;
    timer_.reset();
  }

 private:
  const PlanNode& node() const { return host_.plan->nodes[trigger_]; }

  void arm() {
    if (stopped_) return;
    const std::int64_t current = (host_.timers->now() - grid_) / node().interval;
    // Ticks that went by while the function was called, or while the pipeline had no room.
    const std::int64_t missed = current - tick_;
    if (missed > 0) host_.missed(missed);
    tick_ = current + 1;
    timer_ = host_.timers->at(*host_.executor, grid_ + node().interval * tick_, [this] {
      spawn(*host_.executor, poll(shared_from_this(), host_.hold()));
    });
  }

  static Task<void> poll(std::shared_ptr<PollSource> self, std::shared_ptr<void> pipeline) {
    if (self->stopped_) co_return;
    SourceHost& host = self->host_;
    std::string id = self->node().function_id;
    Json parameters = self->rule_.parameters;
    auto answer = co_await host.functions->execute(std::move(id), std::move(parameters),
                                                   self->node().timeout);
    if (self->stopped_) co_return;
    if (!answer) {
      self->failed(answer.error());
      self->arm();
      co_return;
    }
    if (std::exchange(self->failing_, false)) host.source_recovered(self->trigger_);
    std::vector<Record> records = self->take(std::move(*answer));
    if (!records.empty()) {
      Start start;
      start.trigger = self->trigger_;
      start.records = std::move(records);
      const Offer offer = co_await host.offer_patiently(std::move(start));
      // What was refused is a change that was not told: everything is told next time.
      if (offer != Offer::kTaken) self->forget();
    }
    self->arm();
    static_cast<void>(pipeline);
  }

  void failed(const Error& error) {
    failing_ = true;
    host_.source_failed(trigger_, error);
  }

  void forget() {
    values_.report_all_next();
    last_records_.reset();
  }

  // A connector may make the list of names anew with every answer.
  bool same_points(const std::shared_ptr<const PointNames>& points) const {
    const auto& known = values_.points();
    return points == known || (points && known && *points == *known);
  }

  std::vector<Record> take(Batch batch) {
    if (rule_.report.on_change && !batch.is_scans()) {
      Json all = json_array();
      for (const Record& record : batch.records()) all.push_back(record);
      if (last_records_ && *last_records_ == all) return {};
      last_records_ = std::move(all);
    } else if (batch.is_scans()) {
      std::vector<Scan> told;
      for (Scan& scan : std::get<0>(batch.content)) {
        if (!same_points(scan.points)) values_.reset(scan.points);
        values_.apply(scan, rule_.report, host_.timers->now());
        if (!scan.samples.empty()) told.push_back(std::move(scan));
      }
      batch = Batch::of(std::move(told));
    }
    const auto function = origin();
    return to_records(std::move(batch), function, host_.clock->utc_now());
  }

  Origin origin() const { return {node().function_connection, node().function_name}; }

  SourceHost& host_;
  std::size_t trigger_;
  const PollRule& rule_;
  SteadyTime grid_{};
  std::int64_t tick_ = 0;
  bool stopped_ = false;
  bool failing_ = false;
  connect::LastValues values_;
  std::optional<Json> last_records_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace

std::shared_ptr<Source> make_poll_source(SourceHost& host, std::size_t trigger) {
  return std::make_shared<PollSource>(host, trigger);
}

}  // namespace tributary::orchestrate
