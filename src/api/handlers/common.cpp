#include "api/handlers/common.hpp"

#include <charconv>

#include "connect/maintenance/windows.hpp"
#include "orchestrate/usage.hpp"

namespace tributary::api::handlers {

std::expected<std::int64_t, Problem> version_number(const std::string& text) {
  std::int64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || version < 1)
    return refuse(no_such("version"));
  return version;
}

Json connection_answer(const Services& services, const connect::ConnectionView& connection) {
  Json json = connection_view(connection);
  const auto& windows = services.manager.maintenance();
  json["maintenance"] = Json::null();
  if (const auto holding = windows.holding(connection.state.suspension)) {
    Json item = json_object();
    item["windowId"] = holding->id;
    item["name"] = text_or_null(holding->name);
    item["until"] = format_utc(holding->until);
    json["maintenance"] = std::move(item);
  }
  json["nextMaintenance"] = Json::null();
  if (const auto coming = windows.coming(connection.row)) {
    Json item = json_object();
    item["windowId"] = coming->id;
    item["name"] = coming->name;
    item["from"] = format_utc(coming->occurrence.from);
    item["to"] = format_utc(coming->occurrence.to);
    json["nextMaintenance"] = std::move(item);
  }
  return json;
}

Response edited(Json view, std::int64_t version) {
  Response response = Response::of(std::move(view));
  response.set("ETag", etag(version));
  return response;
}

Response created(const Request& request, std::string_view collection, const std::string& id,
                 Json view, std::int64_t version) {
  Response response = edited(std::move(view), version);
  if (request.dry_run) return response;
  response.status = 201;
  response.set("Location", fmt::format("/api/v1/{}/{}", collection, percent_encode(id)));
  return response;
}

Json without_secrets(const Json& body) {
  Json copy = body;
  if (!copy.is_object() || !copy.contains("secrets")) return copy;
  Json& secrets = copy.at("secrets");
  if (!secrets.is_object()) {
    secrets = "(secret)";
    return copy;
  }
  for (auto& member : secrets.object_range()) {
    if (!member.value().is_null()) member.value() = "(secret)";
  }
  return copy;
}

Json patch_between(const Json& current, const Json& wanted) {
  Json patch = json_object();
  for (const auto& member : current.object_range()) {
    if (!wanted.contains(member.key())) patch[member.key()] = Json::null();
  }
  for (const auto& member : wanted.object_range()) {
    const Json& before = get_member(current, member.key());
    if (before == member.value()) continue;
    if (before.is_object() && member.value().is_object()) {
      patch[member.key()] = patch_between(before, member.value());
    } else {
      patch[member.key()] = member.value();
    }
  }
  return patch;
}

std::expected<Period, Problem> query_period(const Request& request, UtcTime now) {
  auto from = query_time(request, "from");
  TRIBUTARY_TRY(from);
  auto to = query_time(request, "to");
  TRIBUTARY_TRY(to);
  Period period;
  period.to = to->value_or(now);
  period.from = from->value_or(period.to - std::chrono::hours{24});
  if (period.from >= period.to) {
    return refuse(Problem(400, "invalid_parameter",
                          "The period ends before it begins: from must be before to."));
  }
  return period;
}

std::expected<void, Problem> check_unused(const Services& services, std::string_view thing,
                                          const std::string& id) {
  constexpr std::size_t kMostNames = 5;
  const auto graph = orchestrate::dependencies_of(
      services.engine.pipelines(), services.engine.catalogue(), services.engine.functions());
  const std::vector<std::string> names = orchestrate::names_of_users(graph, id);
  if (names.empty()) return {};
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i)
    list += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", names[i]);
  if (names.size() > kMostNames) list += fmt::format(" and {} more", names.size() - kMostNames);
  return std::unexpected(Problem(409, "in_use",
                                 fmt::format("The {} is used by the pipeline{} {}.", thing,
                                             names.size() == 1 ? "" : "s", list),
                                 "Take it out of them, or delete them first."));
}

}  // namespace tributary::api::handlers
