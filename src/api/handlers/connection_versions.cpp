// Versions of a connection, what is different between them, and the way back.
#include "store/connection_versions.hpp"
#include "api/handlers/common.hpp"
#include "model/difference.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {
namespace {

using store::ConnectionVersionRow;

// What would have to be sent to get this version: without secrets, which have no versions.
Json document_of(const ConnectionVersionRow& version, const std::string& type) {
  store::ConnectionRow row;
  row.name = version.name;
  row.type = type;
  row.description = version.description;
  row.labels = version.labels;
  row.settings = version.settings;
  row.reconnect = version.reconnect;
  row.autostart = version.autostart;
  return connection_body(row);
}

Json version_view(const ConnectionVersionRow& row, const std::string& type) {
  Json json = json_object();
  json["version"] = row.version;
  json["at"] = format_utc(row.at);
  json["actor"] = text_or_null(row.actor);
  json["changedSecrets"] = row.changed_secrets;
  json["document"] = document_of(row, type);
  return json;
}

Task<std::expected<ConnectionVersionRow, Problem>> find_version(Services& services, std::string id,
                                                                std::string text) {
  auto number = version_number(text);
  TRIBUTARY_CO_TRY(number);
  using Found = std::optional<ConnectionVersionRow>;
  std::move_only_function<Result<Found>(store::SessionRef)> work =
      [id, number = *number](soci::session& sql) {
        return store::ConnectionVersions::find(sql, id, number);
      };
  auto found = co_await services.store.read<Found>(std::move(work));
  TRIBUTARY_CO_TRY(found);
  if (!*found) co_return refuse(no_such("version"));
  co_return **std::move(found);
}

}  // namespace

Task<Answer> list_connection_versions(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  const std::string id = request.parameter("id");
  auto connection = services.manager.connection(id);
  if (!connection) co_return refuse(no_such("connection"));
  using Rows = std::vector<ConnectionVersionRow>;
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [id](soci::session& sql) {
    return store::ConnectionVersions::all(sql, id);
  };
  auto versions = co_await services.store.read<Rows>(std::move(work));
  TRIBUTARY_CO_TRY(versions);
  co_return Response::of(make_page(
      std::move(*versions), *page,
      [](const ConnectionVersionRow& row) { return newest_first_key(row.version); },
      [&](const ConnectionVersionRow& row) { return version_view(row, connection->row.type); }));
}

Task<Answer> get_connection_version(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto connection = services.manager.connection(id);
  if (!connection) co_return refuse(no_such("connection"));
  const std::string number = request.parameter("version");
  auto row = co_await find_version(services, id, number);
  TRIBUTARY_CO_TRY(row);
  co_return Response::of(version_view(*row, connection->row.type));
}

Task<Answer> diff_connection_versions(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  auto connection = services.manager.connection(id);
  if (!connection) co_return refuse(no_such("connection"));
  const std::string from = request.parameter("version");
  const std::string to = request.parameter("other");
  auto before = co_await find_version(services, id, from);
  TRIBUTARY_CO_TRY(before);
  auto after = co_await find_version(services, id, to);
  TRIBUTARY_CO_TRY(after);
  const std::string& type = connection->row.type;
  Json members = differences(document_of(*before, type), document_of(*after, type));
  Json json = json_object();
  json["from"] = from;
  json["to"] = to;
  json["same"] = members.empty();
  json["members"] = std::move(members);
  co_return Response::of(std::move(json));
}

Task<Answer> restore_connection_version(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  if (!services.manager.connection(id)) co_return refuse(no_such("connection"));
  const std::string number = request.parameter("version");
  auto version = co_await find_version(services, id, number);
  TRIBUTARY_CO_TRY(version);
  request.audit_detail["version"] = version->version;
  auto current = services.manager.connection(id);
  if (!current) co_return refuse(no_such("connection"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  // The patch is made for this version and is right for no other, whatever If-Match allows.
  Json patch =
      patch_between(connection_body(current->row), document_of(*version, current->row.type));
  const std::int64_t base = current->row.version;
  const connect::Actor actor = request.actor();
  auto restored =
      co_await services.manager.update(id, std::move(patch), base, actor, request.dry_run);
  TRIBUTARY_CO_TRY(restored);
  co_return edited(connection_answer(services, *restored), restored->row.version);
}

}  // namespace tributary::api::handlers
