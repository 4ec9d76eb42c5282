#include "connect/maintenance/windows.hpp"

#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

constexpr std::int64_t kDefaultOccurrences = 5;
constexpr std::int64_t kMaxOccurrences = 100;

Json occurrence_or_null(const std::optional<connect::Occurrence>& occurrence) {
  if (!occurrence) return Json::null();
  Json json = json_object();
  json["from"] = format_utc(occurrence->from);
  json["to"] = format_utc(occurrence->to);
  return json;
}

Json window_view(const connect::WindowView& window) {
  const Json& document = window.row.document;
  Json json = json_object();
  json["id"] = window.row.id;
  json["version"] = window.row.version;
  json["name"] = window.row.name;
  json["description"] = get_string(document, "description");
  for (const char* member : {"reason", "timeZone", "schedule", "targets"})
    json[member] = get_member(document, member);
  json["then"] = get_string(document, "then", "resumeAndStart");
  json["enabled"] = get_bool(document, "enabled", true);
  json["createdAt"] = format_utc(window.row.created_at);
  json["updatedAt"] = format_utc(window.row.updated_at);
  Json state = json_object();
  state["active"] = occurrence_or_null(window.active);
  state["next"] = occurrence_or_null(window.next);
  state["suspended"] = window.holds;
  json["state"] = std::move(state);
  return json;
}

Response answer_one(const connect::WindowView& window) {
  return edited(window_view(window), window.row.version);
}

Task<Answer> apply_patch(Services& services, Request& request, Json patch, std::int64_t version) {
  request.audit_detail["patch"] = patch;
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto updated = co_await services.manager.maintenance().update(id, std::move(patch), version,
                                                                actor, request.dry_run);
  TRIBUTARY_CO_TRY(updated);
  co_return answer_one(*updated);
}

}  // namespace

Task<Answer> list_maintenance_windows(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto windows = services.manager.maintenance().windows();
  if (auto name = request.query_value("name")) {
    std::erase_if(windows, [&name](const auto& window) {
      return !contains_ignoring_case(window.row.name, *name);
    });
  }
  co_return Response::of(make_page(
      std::move(windows), *page,
      [](const connect::WindowView& window) { return name_key(window.row.name, window.row.id); },
      window_view));
}

Task<Answer> create_maintenance_window(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = *body;
  const connect::Actor actor = request.actor();
  auto made =
      co_await services.manager.maintenance().create(std::move(*body), actor, request.dry_run);
  TRIBUTARY_CO_TRY(made);
  request.audit_target = made->row.id;
  co_return created(request, "maintenance-windows", made->row.id, window_view(*made),
                    made->row.version);
}

Task<Answer> get_maintenance_window(Services& services, Request& request) {
  const auto window = services.manager.maintenance().window(request.parameter("id"));
  if (!window) co_return refuse(no_such("maintenance window"));
  co_return answer_one(*window);
}

Task<Answer> replace_maintenance_window(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  const auto current = services.manager.maintenance().window(request.parameter("id"));
  if (!current) co_return refuse(no_such("maintenance window"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  Json patch = patch_between(connect::window_body(current->row), *body);
  co_return co_await apply_patch(services, request, std::move(patch), *version);
}

Task<Answer> update_maintenance_window(Services& services, Request& request) {
  auto patch = body_object(request);
  TRIBUTARY_CO_TRY(patch);
  const auto current = services.manager.maintenance().window(request.parameter("id"));
  if (!current) co_return refuse(no_such("maintenance window"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  co_return co_await apply_patch(services, request, std::move(*patch), *version);
}

Task<Answer> delete_maintenance_window(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  const auto current = services.manager.maintenance().window(id);
  if (!current) co_return refuse(no_such("maintenance window"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  request.audit_detail["name"] = current->row.name;
  if (!request.dry_run) {
    const connect::Actor actor = request.actor();
    auto removed = co_await services.manager.maintenance().remove(id, actor);
    TRIBUTARY_CO_TRY(removed);
  }
  co_return Response::no_content();
}

Task<Answer> list_maintenance_occurrences(Services& services, Request& request) {
  auto limit = query_integer(request, "limit", kDefaultOccurrences, 1, kMaxOccurrences);
  TRIBUTARY_CO_TRY(limit);
  const auto planned = services.manager.maintenance().planned(request.parameter("id"),
                                                              static_cast<std::size_t>(*limit));
  TRIBUTARY_CO_TRY(planned);
  Json items = json_array();
  for (const auto& occurrence : planned->occurrences) {
    Json item = occurrence_or_null(occurrence);
    item["localFrom"] = planned->zone.format(occurrence.from);
    item["localTo"] = planned->zone.format(occurrence.to);
    items.push_back(std::move(item));
  }
  Json json = json_object();
  json["timeZone"] = planned->zone.name();
  json["items"] = std::move(items);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
