// What a window of the aggregate node knows of its records: one accumulator for each output field,
// as documents, so that they can be kept on disk.
#pragma once

#include <optional>
#include <string>

#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::orchestrate {

enum class Aggregate : std::uint8_t {
  kCount,
  kSum,
  kMean,
  kMin,
  kMax,
  kRange,
  kFirst,
  kLast,
  kStddev,
  kMedian,
  kTimeWeightedMean,
};

std::optional<Aggregate> aggregate_of(std::string_view name);
// Works on numbers only.
bool needs_numbers(Aggregate function);
// Keeps every value until the window ends.
bool keeps_values(Aggregate function);

// Values that a window keeps for one median or time-weighted mean.
constexpr std::size_t kMaxWindowValues = 10'000;

// Nothing seen yet.
Json empty_accumulator(Aggregate function);
bool is_full(Aggregate function, const Json& accumulator);
// Takes a value in; `at` in microseconds since 1970. The value is a number where needs_numbers().
void accumulate(Aggregate function, Json& accumulator, const Json& value, std::int64_t at);

// The time that a time-weighted mean is about, and what held before its first value.
struct Span {
  std::int64_t from = 0;
  std::int64_t to = 0;
  const Json* before = nullptr;  // a number, or null
};
// The result; null where there was nothing to make it of.
Json result_of(Aggregate function, const Json& accumulator, const Span& span);
// The value that holds on behind the window: of a time-weighted mean the last one, else null.
Json carried_on(const Json& accumulator);

}  // namespace tributary::orchestrate
