#include "connect/subscriptions/last_values.hpp"

#include <cmath>

namespace tributary::connect {

namespace {

bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

bool same_value(const Value& a, const Value& b) {
  if (a.index() != b.index()) return false;
  if (const auto* number = std::get_if<double>(&a))
    return same_number(*number, std::get<double>(b));
  return a == b;
}

bool same_failure(const Sample& a, const Sample& b) {
  if (!a.error || !b.error) return !a.error && !b.error;
  return a.error == b.error || a.error->code == b.error->code;
}

}  // namespace

bool has_changed(const Sample& last, const Sample& now, double deadband) {
  if (last.quality != now.quality || !same_failure(last, now)) return true;
  if (deadband > 0.0) {
    // NaN compares false with everything: it falls through to the exact comparison.
    if (const auto moved = distance(last.value, now.value); moved && *moved <= deadband)
      return false;
  }
  return !same_value(last.value, now.value);
}

void LastValues::reset(std::shared_ptr<const PointNames> points) {
  points_ = std::move(points);
  const std::size_t count = points_ ? points_->size() : 0;
  samples_.assign(count, Sample{});
  for (std::size_t i = 0; i < count; ++i) {
    samples_[i].point = static_cast<std::uint32_t>(i);
    samples_[i].quality = kBadWaitingForInitialData;
  }
  confirmed_.reset();
  report_all_ = true;
}

void LastValues::apply(Scan& scan, const ReportRule& rule, SteadyTime now) {
  const bool all = std::exchange(report_all_, false) || !rule.on_change;
  confirmed_ = now;
  receive_time_ = scan.receive_time;
  const auto unchanged = [&](const Sample& sample) {
    if (sample.point >= samples_.size()) return false;
    Sample& last = samples_[sample.point];
    if (!all && !has_changed(last, sample, rule.deadband)) return true;
    last = sample;
    return false;
  };
  std::erase_if(scan.samples, unchanged);
}

Scan LastValues::mark_all(Quality quality, const std::shared_ptr<const Error>& error, UtcTime at) {
  Scan scan{points_, at, {}};
  report_all_ = true;
  if (!points_) return scan;
  const auto is_so = [&](const Sample& sample) { return sample.quality == quality; };
  if (std::ranges::all_of(samples_, is_so)) return scan;
  for (auto& sample : samples_) {
    sample.quality = quality;
    sample.value =
        std::monostate{};  // a bad value that can be read will be read as good by somebody
    sample.source_time.reset();
    sample.error = error;
  }
  receive_time_ = at;
  scan.samples = samples_;
  return scan;
}

Scan LastValues::snapshot(SteadyTime now, std::optional<Duration> max_age) const {
  Scan scan{points_, receive_time_, samples_};
  const bool stale = max_age && confirmed_ && now - *confirmed_ > *max_age;
  if (!stale) return scan;
  for (auto& sample : scan.samples) {
    if (sample.quality.is_good()) sample.quality = kUncertainLastUsableValue;
  }
  return scan;
}

}  // namespace tributary::connect
