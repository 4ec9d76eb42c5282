#include "field/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tributary::field {
namespace {

double share(double at, double low, double high) {
  return (at - low) / (high - low);
}
double within(double share_of, double low, double high) {
  return low + share_of * (high - low);
}

}  // namespace

Scaling Scaling::factor(double scale, double offset) {
  Scaling scaling;
  scaling.scale = scale;
  scaling.offset = offset;
  if (scale != 1.0 || offset != 0.0) scaling.kind = ScalingKind::kFactor;
  return scaling;
}

Result<void> check(const Scaling& scaling) {
  if (scaling.scale == 0 || !std::isfinite(scaling.scale)) {
    return fail(ErrorClass::kFunction, "out_of_range",
                fmt::format("The scale is {}; it must be a number other than 0.", scaling.scale),
                {}, "scale");
  }
  if (scaling.kind != ScalingKind::kLinear && scaling.kind != ScalingKind::kSquareRoot) return {};
  if (scaling.raw_low == scaling.raw_high) {
    return fail(ErrorClass::kFunction, "out_of_range",
                fmt::format("The raw range begins and ends at {}.", scaling.raw_low),
                "Give the raw numbers that stand for low and for high.", "rawHigh");
  }
  if (scaling.low == scaling.high) {
    return fail(ErrorClass::kFunction, "out_of_range",
                fmt::format("The range of the value begins and ends at {}.", scaling.low),
                "Give the values that rawLow and rawHigh stand for.", "high");
  }
  return {};
}

double to_engineering(const Scaling& scaling, double raw) {
  if (scaling.kind == ScalingKind::kNone) return raw;
  if (scaling.kind == ScalingKind::kFactor) return raw * scaling.scale + scaling.offset;
  double part = share(raw, scaling.raw_low, scaling.raw_high);
  if (scaling.kind == ScalingKind::kSquareRoot) part = std::sqrt(std::max(part, 0.0));
  const double value = within(part, scaling.low, scaling.high);
  if (!scaling.clamp) return value;
  const auto [lowest, highest] = std::minmax(scaling.low, scaling.high);
  return std::clamp(value, lowest, highest);
}

double to_raw(const Scaling& scaling, double value) {
  if (scaling.kind == ScalingKind::kNone) return value;
  if (scaling.kind == ScalingKind::kFactor) return (value - scaling.offset) / scaling.scale;
  double part = share(value, scaling.low, scaling.high);
  if (scaling.kind == ScalingKind::kSquareRoot) part = part < 0 ? 0 : part * part;
  return within(part, scaling.raw_low, scaling.raw_high);
}

bool may_write(const Scaling& scaling, double value) {
  if (scaling.kind != ScalingKind::kLinear && scaling.kind != ScalingKind::kSquareRoot) return true;
  const auto [lowest, highest] = std::minmax(scaling.low, scaling.high);
  return !scaling.clamp || (value >= lowest && value <= highest);
}

}  // namespace tributary::field
