#include "api/handlers/common.hpp"
#include "api/handlers/settings.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {
namespace {

Json user_view(const store::UserRow& user) {
  Json json = json_object();
  json["id"] = user.id;
  json["username"] = user.username;
  json["role"] = user.role;
  json["createdAt"] = format_utc(user.created_at);
  return json;
}

}  // namespace

Task<Answer> list_users(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  using Rows = std::vector<store::UserRow>;
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [](soci::session& sql) {
    return store::Users::all(sql);
  };
  auto users = co_await services.store.read<Rows>(std::move(work));
  TRIBUTARY_CO_TRY(users);
  co_return Response::of(make_page(
      std::move(*users), *page,
      [](const store::UserRow& user) { return name_key(user.username, user.id); }, user_view));
}

}  // namespace tributary::api::handlers
