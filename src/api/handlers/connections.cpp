#include "api/handlers/common.hpp"

namespace tributary::api::handlers {
namespace {

bool wanted(const Request& request, const connect::ConnectionView& connection) {
  auto name = request.query_value("name");
  auto type = request.query_value("type");
  auto status = request.query_value("status");
  return (!name || contains_ignoring_case(connection.row.name, *name)) &&
         (!type || connection.row.type == *type) &&
         (!status || to_string(connection.state.status) == *status) &&
         matches_labels(request, connection.row.labels);
}

std::expected<void, Problem> check_status_filter(const Request& request) {
  auto status = request.query_value("status");
  if (!status) return {};
  auto known = connect::parse_status(*status);
  if (known && *known != connect::Status::kUnknown) return {};
  return refuse(Problem(
      400, "invalid_parameter",
      "The query parameter status must be Idle, Connecting, Connected, Disconnected, Reconnecting, "
      "Failed or Suspended."));
}

Task<Answer> apply_patch(Services& services, Request& request, Json patch, std::int64_t version) {
  request.audit_detail["patch"] = without_secrets(patch);
  const std::string id = request.parameter("id");
  const connect::Actor actor = request.actor();
  auto updated =
      co_await services.manager.update(id, std::move(patch), version, actor, request.dry_run);
  TRIBUTARY_CO_TRY(updated);
  co_return edited(connection_answer(services, *updated), updated->row.version);
}

}  // namespace

Task<Answer> list_connections(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  TRIBUTARY_CO_TRY(check_status_filter(request));
  std::vector<connect::ConnectionView> connections = services.manager.connections();
  std::erase_if(connections,
                [&request](const auto& connection) { return !wanted(request, connection); });
  co_return Response::of(make_page(
      std::move(connections), *page,
      [](const connect::ConnectionView& connection) {
        return name_key(connection.row.name, connection.row.id);
      },
      [&services](const connect::ConnectionView& connection) {
        return connection_answer(services, connection);
      }));
}

Task<Answer> create_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  request.audit_detail["body"] = without_secrets(*body);
  const connect::Actor actor = request.actor();
  auto made = co_await services.manager.create(std::move(*body), actor, request.dry_run);
  TRIBUTARY_CO_TRY(made);
  request.audit_target = made->row.id;
  co_return created(request, "connections", made->row.id, connection_answer(services, *made),
                    made->row.version);
}

Task<Answer> get_connection(Services& services, Request& request) {
  auto connection = services.manager.connection(request.parameter("id"));
  if (!connection) co_return refuse(no_such("connection"));
  co_return edited(connection_answer(services, *connection), connection->row.version);
}

Task<Answer> replace_connection(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  auto current = services.manager.connection(request.parameter("id"));
  if (!current) co_return refuse(no_such("connection"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  Json patch = patch_between(connection_body(current->row), *body);
  co_return co_await apply_patch(services, request, std::move(patch), *version);
}

Task<Answer> update_connection(Services& services, Request& request) {
  auto patch = body_object(request);
  TRIBUTARY_CO_TRY(patch);
  auto current = services.manager.connection(request.parameter("id"));
  if (!current) co_return refuse(no_such("connection"));
  auto version = expected_version(request, current->row.version);
  TRIBUTARY_CO_TRY(version);
  co_return co_await apply_patch(services, request, std::move(*patch), *version);
}

Task<Answer> delete_connection(Services& services, Request& request) {
  auto force = query_flag(request, "force", false);
  TRIBUTARY_CO_TRY(force);
  auto current = services.manager.connection(request.parameter("id"));
  if (!current) co_return refuse(no_such("connection"));
  TRIBUTARY_CO_TRY(expected_version(request, current->row.version));
  request.audit_detail["name"] = current->row.name;
  TRIBUTARY_CO_TRY(check_unused(services, "connection", current->row.id));
  using connect::Status;
  const Status status = current->state.status;
  const bool at_rest =
      status == Status::kIdle || status == Status::kSuspended || status == Status::kFailed;
  if (request.dry_run && !at_rest && !*force) {
    co_return refuse(Problem(409, "connection_running",
                             "Stop the connection first, or delete it with force=true."));
  }
  if (!request.dry_run) {
    const std::string id = request.parameter("id");
    const connect::Actor actor = request.actor();
    auto removed = co_await services.manager.remove(id, *force, actor);
    TRIBUTARY_CO_TRY(removed);
  }
  co_return Response::no_content();
}

}  // namespace tributary::api::handlers
