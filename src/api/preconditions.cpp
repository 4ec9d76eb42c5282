#include "api/preconditions.hpp"

#include <fmt/format.h>

namespace tributary::api {

std::string etag(std::int64_t version) {
  return fmt::format("\"{}\"", version);
}

std::expected<void, Problem> require_if_match(const Request& request) {
  if (!request.header("if-match").empty()) return {};
  return refuse(Problem(428, "precondition_required",
                        "Send If-Match with the ETag of the version you edited, or * for whatever "
                        "version there is."));
}

std::expected<std::int64_t, Problem> expected_version(const Request& request,
                                                      std::int64_t current) {
  std::string_view list = request.header("if-match");
  if (list.empty() || list == "*") return 0;
  const std::string wanted = etag(current);
  while (!list.empty()) {
    auto comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part == wanted) return current;
  }
  return refuse(Problem(
      412, "precondition_failed",
      fmt::format("It is at version {} now. Load it again and repeat the change.", current)));
}

}  // namespace tributary::api
