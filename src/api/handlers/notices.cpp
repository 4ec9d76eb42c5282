#include <cmath>

#include "api/handlers/common.hpp"
#include "notices/notice.hpp"
#include "notices/notices.hpp"

namespace tributary::api::handlers {
namespace {

Json error_or_null(const std::optional<Error>& error) {
  return error ? to_json(*error) : Json::null();
}

Json notice_view(const notices::NoticeView& notice) {
  const store::NoticeRow& row = notice.row;
  Json json = json_object();
  json["id"] = row.id;
  json["version"] = row.version;
  const Json body = notices::to_body(row);
  for (const auto& member : body.object_range()) json[member.key()] = member.value();
  Json secrets = json_object();
  for (const auto& [name, secret] : notice.secrets) {
    Json item = json_object();
    item["set"] = secret.set;
    item["changedAt"] = time_or_null(secret.changed_at);
    secrets[name] = std::move(item);
  }
  json["secrets"] = std::move(secrets);
  json["createdAt"] = format_utc(row.created_at);
  json["updatedAt"] = format_utc(row.updated_at);
  Json status = json_object();
  status["lastDelivery"] = time_or_null(row.last_delivery_at);
  status["delivered"] = row.delivered;
  status["pending"] = notice.pending;
  status["failed"] = row.failed;
  status["dropped"] = row.dropped;
  status["lastError"] = error_or_null(notice.last_error);
  json["status"] = std::move(status);
  return json;
}

Response answer_one(const notices::NoticeView& notice) {
  return edited(notice_view(notice), notice.row.version);
}

Task<Answer> apply_patch(Services& services, Request& request, Json patch, std::int64_t version) {
  request.audit_detail["patch"] = without_secrets(patch);
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto updated =
      co_await services.notices.update(id, std::move(patch), version, actor, request.dry_run);
  TRIBUTARY_CO_TRY(updated);
  co_return answer_one(*updated);
}

}  // namespace

Task<Answer> list_notices(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  std::optional<bool> enabled;
  if (request.query_value("enabled")) {
    auto flag = query_flag(request, "enabled", false);
    TRIBUTARY_CO_TRY(flag);
    enabled = *flag;
  }
  const auto name = request.query_value("name");
  std::vector<notices::NoticeView> found = services.notices.notices();
  std::erase_if(found, [&](const auto& notice) {
    return (name && !contains_ignoring_case(notice.row.name, *name)) ||
           (enabled && notice.row.enabled != *enabled);
  });
  co_return Response::of(make_page(
      std::move(found), *page,
      [](const notices::NoticeView& notice) { return name_key(notice.row.name, notice.row.id); },
      notice_view));
}

Task<Answer> create_notice(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = without_secrets(*body);
  const connect::Actor actor = request.actor();
  auto made = co_await services.notices.create(std::move(*body), actor, request.dry_run);
  TRIBUTARY_CO_TRY(made);
  request.audit_target = made->row.id;
  co_return created(request, "notices", made->row.id, notice_view(*made), made->row.version);
}

Task<Answer> get_notice(Services& services, Request& request) {
  auto notice = services.notices.notice(request.parameter("id"));
  if (!notice) co_return refuse(no_such("notice"));
  co_return answer_one(*notice);
}

Task<Answer> replace_notice(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto current = services.notices.notice(request.parameter("id"));
  if (!current) co_return refuse(no_such("notice"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  Json patch = patch_between(notices::to_body(current->row), *body);
  co_return co_await apply_patch(services, request, std::move(patch), *version);
}

Task<Answer> update_notice(Services& services, Request& request) {
  auto patch = body_object(request);
  TRIBUTARY_CO_TRY(patch);
  auto current = services.notices.notice(request.parameter("id"));
  if (!current) co_return refuse(no_such("notice"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  co_return co_await apply_patch(services, request, std::move(*patch), *version);
}

Task<Answer> delete_notice(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto current = services.notices.notice(id);
  if (!current) co_return refuse(no_such("notice"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  request.audit_detail["name"] = current->row.name;
  if (!request.dry_run) {
    auto removed = co_await services.notices.remove(id);
    TRIBUTARY_CO_TRY(removed);
  }
  co_return Response::no_content();
}

Task<Answer> test_notice(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto tested = co_await services.notices.test(id, request.dry_run);
  TRIBUTARY_CO_TRY(tested);
  Json json = json_object();
  json["success"] = !tested->error;
  json["status"] = tested->status ? Json(*tested->status) : Json::null();
  json["durationMs"] = std::round(to_seconds(tested->duration) * 1e6) / 1e3;
  json["body"] = tested->body;
  json["error"] = error_or_null(tested->error);
  co_return Response::of(std::move(json));
}

}  // namespace tributary::api::handlers
