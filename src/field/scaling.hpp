// From the raw number of a device to the engineering value, and back. Pure.
#pragma once

#include <cstdint>

#include "base/error.hpp"

namespace tributary::field {

enum class ScalingKind : std::uint8_t {
  kNone,
  kFactor,      // value = raw × scale + offset
  kLinear,      // raw_low … raw_high is low … high
  kSquareRoot,  // as kLinear, with the root of the raw share: flow from a differential pressure
};

struct Scaling {
  ScalingKind kind = ScalingKind::kNone;
  double scale = 1.0;
  double offset = 0.0;
  double raw_low = 0.0;
  double raw_high = 1.0;
  double low = 0.0;
  double high = 1.0;
  // Of kLinear and kSquareRoot: a value beyond low … high is read as the bound it passed, and
  // refused when it is written.
  bool clamp = false;

  // kFactor, or kNone when that changes nothing: integers then keep all their bits.
  static Scaling factor(double scale, double offset);
  bool active() const { return kind != ScalingKind::kNone; }
};

// Whether it can be computed in both directions. Error: kFunction "out_of_range" with the name of
// the setting as pointer: "scale", "rawHigh", "high".
Result<void> check(const Scaling& scaling);

// A raw number below raw_low has no root: it is read as raw_low.
double to_engineering(const Scaling& scaling, double raw);
double to_raw(const Scaling& scaling, double value);
// False for a value that clamp forbids to write.
bool may_write(const Scaling& scaling, double value);

}  // namespace tributary::field
