#include "sdk/points.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "schema/placeholders.hpp"

namespace tributary::sdk {

Result<void> check_values(
    const Json& values, const PointNames& names,
    const std::function<Result<void>(std::size_t point, const Json& value)>& check) {
  if (!values.is_object()) return {};
  for (const auto& member : values.object_range()) {
    const std::string pointer = "/settings/values/" + escape_pointer(member.key());
    const auto found = std::ranges::find(names, member.key());
    if (found == names.end()) {
      return fail(ErrorClass::kFunction, "unknown_point",
                  fmt::format("There is a value for '{}', but no such point.", member.key()),
                  "Name the points that are to be written in points.", pointer);
    }
    const Json& value = member.value();
    if (value.is_string() && schema::has_placeholder(value.as_string_view())) continue;
    auto checked = check(static_cast<std::size_t>(found - names.begin()), value);
    if (checked) continue;
    checked.error().message = fmt::format("Point '{}': {}", member.key(), checked.error().message);
    checked.error().pointer = pointer;
    return checked;
  }
  return {};
}

Result<Batch> answer_of(Scan scan, bool polled) {
  const bool nothing = std::ranges::all_of(scan.samples, [](const Sample& s) {
    return s.error && s.error->error_class == ErrorClass::kFunction && s.quality.is_bad();
  });
  if (nothing && !polled && !scan.samples.empty())
    return std::unexpected(*scan.samples.front().error);
  return Batch::of(std::move(scan));
}

}  // namespace tributary::sdk
