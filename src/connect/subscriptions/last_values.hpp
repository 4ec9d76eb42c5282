// The last value of every point of a function, and which of them are worth reporting.
#pragma once

#include <memory>
#include <optional>

#include "model/batch.hpp"

namespace tributary::connect {

struct ReportRule {
  bool on_change = true;  // reportOn: "change" | "always"
  double deadband = 0.0;  // a number that moved by no more than this has not changed
  bool percent = false;   // the deadband is a share of the value that was reported last
};

// Whether `now` differs from `last` enough to be told: another quality, another failure, another
// value.
bool has_changed(const Sample& last, const Sample& now, double deadband);

// Lives on one executor. No allocation per scan beyond what a changed value itself needs.
class LastValues {
 public:
  // Forgets everything: the points have a new plan.
  void reset(std::shared_ptr<const PointNames> points);
  const std::shared_ptr<const PointNames>& points() const { return points_; }

  // The next scan is reported whole, whatever it says.
  void report_all_next() { report_all_ = true; }
  // Takes over the scan's values and leaves in it what is to be reported.
  void apply(Scan& scan, const ReportRule& rule, SteadyTime now);
  // Every point turns bad; the scan that says so. Empty when the points are not known or are all so
  // already.
  Scan mark_all(Quality quality, const std::shared_ptr<const Error>& error, UtcTime at);

  // What a new viewer sees: every point once, together with those that were confirmed in the same
  // instant, each scan with its age. `max_age`: values that were not confirmed for longer are no
  // longer good.
  std::vector<Scan> snapshot(SteadyTime now, std::optional<Duration> max_age) const;

 private:
  std::shared_ptr<const PointNames> points_;
  // When a point was last heard of, whether its value had changed or not.
  struct Heard {
    std::optional<SteadyTime> at;
    UtcTime receive_time;
    friend bool operator==(const Heard&, const Heard&) = default;
  };

  std::vector<Sample> samples_;  // by point
  std::vector<Heard> heard_;     // by point
  bool report_all_ = true;
};

}  // namespace tributary::connect
