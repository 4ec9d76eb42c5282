// CSV files of points and names with ranges: anything is read or refused, and what was read is
// written and read again as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "field/point_list.hpp"
#include "field/range.hpp"

using namespace tributary;
using namespace tributary::field;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const PointSchema schema{
      "points",
      parse_json(
          R"({"required": ["name"], "properties": {"name": {"type": "string"}, "address": {"type": "integer"},
              "scale": {"type": "number"}, "on": {"type": "boolean"}}})")
          .value()};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const PointImport import = from_csv(text, schema);
  if (import.lines.size() != import.points.size()) std::abort();
  if (import.problems.empty()) {
    const PointImport again = from_csv(to_csv(import.points, schema), schema);
    if (!again.problems.empty() || again.points != import.points) std::abort();
  }
  const auto names = expand_ranges(text.substr(0, 100), 1000);
  if (names && (names->empty() || names->size() > 1000)) std::abort();
  return 0;
}
