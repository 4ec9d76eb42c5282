// Documents written as texts of other formats, so that they can be read back as the same values: a
// value never becomes syntax.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace tributary::orchestrate::formats {

// One line without its end (RFC 4180): null is an empty cell, an empty text is "". Lists and
// objects are JSON.
std::string csv_line(const std::vector<Json>& cells, char delimiter);

using NamedValues = std::vector<std::pair<std::string, Json>>;

enum class Precision : std::uint8_t { kNanoseconds, kMicroseconds, kMilliseconds, kSeconds };

// One line of the InfluxDB line protocol. Null values are left out; whole numbers get i or u; lists
// and objects are JSON. Errors, kFunction: "no_fields"; "not_encodable": the protocol has no way to
// write a name or a tag.
Result<std::string> line_protocol(std::string_view measurement, const NamedValues& tags,
                                  const NamedValues& fields, std::optional<UtcTime> time,
                                  Precision precision);

// {"timestamp", "metrics": [{"name", "timestamp", "dataType", "value"}]}; null has isNull, a
// quality that is not good the property Quality of Sparkplug B. `points`: $meta.points, or null.
Json metric_list(const NamedValues& fields, UtcTime time, const Json& points);

}  // namespace tributary::orchestrate::formats
