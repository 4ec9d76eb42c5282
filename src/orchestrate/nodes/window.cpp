#include "orchestrate/nodes/window.hpp"

#include <algorithm>
#include <cmath>

#include "orchestrate/expression/value.hpp"

namespace tributary::orchestrate {
namespace {

namespace js = expression;

constexpr std::array<std::pair<std::string_view, Aggregate>, 11> kNames = {{
    {"count", Aggregate::kCount},
    {"sum", Aggregate::kSum},
    {"mean", Aggregate::kMean},
    {"min", Aggregate::kMin},
    {"max", Aggregate::kMax},
    {"range", Aggregate::kRange},
    {"first", Aggregate::kFirst},
    {"last", Aggregate::kLast},
    {"stddev", Aggregate::kStddev},
    {"median", Aggregate::kMedian},
    {"timeWeightedMean", Aggregate::kTimeWeightedMean},
}};

bool less(const Json& a, const Json& b) {
  return js::less_than(js::from_json(a), js::from_json(b)).value_or(false);
}

Json from_js(const js::JsValue& value) {
  auto json = js::to_json(value);
  return json ? std::move(*json) : Json::null();
}

// The smaller (or larger) of what was and what comes.
void keep_extreme(Json& extreme, const Json& value, bool smallest) {
  const bool replaces =
      extreme.is_null() || (smallest ? less(value, extreme) : less(extreme, value));
  if (replaces) extreme = value;
}

// Welford: the sum of squared differences from the running mean.
void add_moment(Json& accumulator, double value) {
  const std::int64_t count = get_int(accumulator, "n", 0) + 1;
  const double mean = get_double(accumulator, "mean", 0);
  const double step = value - mean;
  const double next = mean + step / static_cast<double>(count);
  accumulator.insert_or_assign("n", count);
  accumulator.insert_or_assign("mean", next);
  accumulator.insert_or_assign("m2", get_double(accumulator, "m2", 0) + step * (value - next));
}

void keep_by_time(Json& accumulator, const Json& value, std::int64_t at, bool first) {
  const bool empty = accumulator.empty();
  const std::int64_t known = empty ? 0 : get_int(accumulator, "at", 0);
  if (!empty && (first ? at >= known : at < known)) return;
  accumulator.insert_or_assign("at", at);
  accumulator.insert_or_assign("value", value);
}

Json median_of(const Json& values) {
  if (values.empty()) return Json::null();
  std::vector<Json> sorted(values.array_range().begin(), values.array_range().end());
  std::sort(sorted.begin(), sorted.end(), less);
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  const js::JsValue sum = js::add(js::from_json(sorted[middle - 1]), js::from_json(sorted[middle]));
  return from_js(js::divide(sum, js::JsValue(std::int64_t{2})));
}

using Samples = std::vector<std::pair<std::int64_t, double>>;

Samples samples_of(const Json& accumulator) {
  Samples samples;
  for (const Json& sample : accumulator.array_range()) {
    samples.emplace_back(sample[0].as<std::int64_t>(), sample[1].as_double());
  }
  std::stable_sort(samples.begin(), samples.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return samples;
}

// Every value holds until the next one.
Json time_weighted_mean(const Json& accumulator, const Span& span) {
  Samples samples = samples_of(accumulator);
  if (samples.empty()) return Json::null();
  if (span.before != nullptr && !span.before->is_null() && samples.front().first > span.from) {
    samples.insert(samples.begin(), {span.from, span.before->as_double()});
  }
  long double area = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::int64_t end = i + 1 < samples.size() ? samples[i + 1].first : span.to;
    area += static_cast<long double>(samples[i].second) *
            static_cast<long double>(end - samples[i].first);
  }
  const std::int64_t length = span.to - samples.front().first;
  if (length <= 0) return from_js(js::JsValue(samples.back().second));
  return from_js(js::JsValue(static_cast<double>(area / static_cast<long double>(length))));
}

}  // namespace

std::optional<Aggregate> aggregate_of(std::string_view name) {
  for (const auto& [known, function] : kNames) {
    if (known == name) return function;
  }
  return std::nullopt;
}

bool needs_numbers(Aggregate function) {
  return function != Aggregate::kCount && function != Aggregate::kFirst &&
         function != Aggregate::kLast;
}

bool keeps_values(Aggregate function) {
  return function == Aggregate::kMedian || function == Aggregate::kTimeWeightedMean;
}

Json empty_accumulator(Aggregate function) {
  if (keeps_values(function)) return json_array();
  if (function == Aggregate::kCount) return Json(std::int64_t{0});
  const bool single =
      function == Aggregate::kSum || function == Aggregate::kMin || function == Aggregate::kMax;
  return single ? Json::null() : json_object();
}

bool is_full(Aggregate function, const Json& accumulator) {
  return keeps_values(function) && accumulator.size() >= kMaxWindowValues;
}

void accumulate(Aggregate function, Json& accumulator, const Json& value, std::int64_t at) {
  switch (function) {
    case Aggregate::kCount:
      accumulator = Json(accumulator.as<std::int64_t>() + 1);
      break;
    case Aggregate::kSum:
      accumulator = accumulator.is_null()
                        ? value
                        : from_js(js::add(js::from_json(accumulator), js::from_json(value)));
      break;
    case Aggregate::kMean:
    case Aggregate::kStddev:
      add_moment(accumulator, value.as_double());
      break;
    case Aggregate::kMin:
    case Aggregate::kMax:
      keep_extreme(accumulator, value, function == Aggregate::kMin);
      break;
    case Aggregate::kRange:
      for (const bool smallest : {true, false}) {
        Json extreme = get_member(accumulator, smallest ? "min" : "max");
        keep_extreme(extreme, value, smallest);
        accumulator.insert_or_assign(smallest ? "min" : "max", std::move(extreme));
      }
      break;
    case Aggregate::kFirst:
    case Aggregate::kLast:
      keep_by_time(accumulator, value, at, function == Aggregate::kFirst);
      break;
    case Aggregate::kMedian:
      accumulator.push_back(value);
      break;
    case Aggregate::kTimeWeightedMean: {
      Json sample = json_array();
      sample.push_back(at);
      sample.push_back(value);
      accumulator.push_back(std::move(sample));
      break;
    }
  }
}

Json result_of(Aggregate function, const Json& accumulator, const Span& span) {
  switch (function) {
    case Aggregate::kMean:
      if (accumulator.empty()) return Json::null();
      return from_js(js::JsValue(get_double(accumulator, "mean", 0)));
    case Aggregate::kStddev: {
      // Of a sample: divided by n − 1.
      const std::int64_t count = get_int(accumulator, "n", 0);
      if (count < 2) return Json::null();
      const double variance = get_double(accumulator, "m2", 0) / static_cast<double>(count - 1);
      return from_js(js::JsValue(std::sqrt(variance)));
    }
    case Aggregate::kRange:
      if (accumulator.empty()) return Json::null();
      return from_js(
          js::subtract(js::from_json(accumulator.at("max")), js::from_json(accumulator.at("min"))));
    case Aggregate::kFirst:
    case Aggregate::kLast:
      return get_member(accumulator, "value");
    case Aggregate::kMedian:
      return median_of(accumulator);
    case Aggregate::kTimeWeightedMean:
      return time_weighted_mean(accumulator, span);
    default:
      return accumulator;
  }
}

Json carried_on(const Json& accumulator) {
  const Samples samples = samples_of(accumulator);
  return samples.empty() ? Json::null() : Json(samples.back().second);
}

}  // namespace tributary::orchestrate
