// Units of measurement: a table of factors to the SI unit of each dimension.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::orchestrate::formats {

struct Unit {
  std::string_view name;
  std::string_view dimension;
  double factor = 1;  // SI value = value * factor + offset
  double offset = 0;  // of temperatures
};

const Unit* find_unit(std::string_view name);
// The names of a dimension's units, for messages.
std::string units_of(std::string_view dimension);
// Both of one dimension.
double convert(double value, const Unit& from, const Unit& to);
const std::vector<Unit>& all_units();

}  // namespace tributary::orchestrate::formats
