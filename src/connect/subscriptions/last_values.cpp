#include "connect/subscriptions/last_values.hpp"

#include <algorithm>
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

// What a rule means for a point that was last reported with this value. A share of infinity would
// swallow every change.
double deadband_of(const ReportRule& rule, const Value& reported) {
  if (!rule.percent) return rule.deadband;
  const auto size = distance(reported, Value(std::int64_t{0}));
  return size && std::isfinite(*size) ? *size / 100.0 * rule.deadband : 0.0;
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
  heard_.assign(count, Heard{});
  report_all_ = true;
}

void LastValues::apply(Scan& scan, const ReportRule& rule, SteadyTime now) {
  const bool all = std::exchange(report_all_, false) || !rule.on_change;
  const auto unchanged = [&](const Sample& sample) {
    if (sample.point >= samples_.size()) return false;
    heard_[sample.point] = {now, scan.receive_time};
    Sample& last = samples_[sample.point];
    if (!all && !has_changed(last, sample, deadband_of(rule, last.value))) return true;
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
  for (auto& heard : heard_) heard.receive_time = at;
  scan.samples = samples_;
  return scan;
}

std::vector<Scan> LastValues::snapshot(SteadyTime now, std::optional<Duration> max_age) const {
  std::vector<Scan> scans;
  std::vector<Heard> of_scan;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const Heard& heard = heard_[i];
    // From the newest scan backwards: neighbours mostly belong together.
    const auto found = std::find(of_scan.rbegin(), of_scan.rend(), heard);
    auto index = static_cast<std::size_t>(of_scan.rend() - found);
    if (index == 0) {
      of_scan.push_back(heard);
      scans.push_back({points_, heard.receive_time, {}});
      if (heard.at) scans.back().age = now - *heard.at;
      index = scans.size();
    }
    Scan& scan = scans[index - 1];
    scan.samples.push_back(samples_[i]);
    Quality& quality = scan.samples.back().quality;
    const bool stale = max_age && scan.age && *scan.age > *max_age;
    if (stale && quality.is_good()) quality = kUncertainLastUsableValue;
  }
  return scans;
}

}  // namespace tributary::connect
