// Which secrets the hub holds, and whether they can be had: never what they are.
#include "api/handlers/common.hpp"
#include "api/handlers/settings.hpp"
#include "notices/notices.hpp"
#include "secrets/reference.hpp"
#include "secrets/vault.hpp"
#include "store/session.hpp"

namespace tributary::api::handlers {
namespace {

struct Item {
  std::string_view kind;  // of its user: "connection", "notice", "pipeline"
  std::string id;         // of its user
  std::string user;       // name of its user
  std::string name;
  bool set = false;
  std::optional<UtcTime> changed_at;
  const store::SecretRow* row = nullptr;  // null: not set
};
using Rows = std::vector<store::SecretRow>;

std::string key_of(const Item& item) {
  return name_key(item.user, item.id + '\0' + item.name);
}

// Those that connections and notices know, set or not, and those of webhooks, which are there only
// while they are set.
std::vector<Item> collect(const Services& services, const Rows& rows) {
  std::vector<Item> items;
  const auto add = [&](std::string_view kind, const std::string& id, const std::string& user,
                       const std::pair<std::string, connect::SecretView>& secret) {
    items.push_back(
        {kind, id, user, secret.first, secret.second.set, secret.second.changed_at, nullptr});
  };
  for (const auto& connection : services.manager.connections()) {
    for (const auto& secret : connection.secrets)
      add("connection", connection.row.id, connection.row.name, secret);
  }
  for (const auto& notice : services.notices.notices()) {
    for (const auto& secret : notice.secrets) add("notice", notice.row.id, notice.row.name, secret);
  }
  std::map<std::pair<std::string, std::string>, const store::SecretRow*> stored;
  for (const auto& row : rows) stored.emplace(std::pair(row.connection_id, row.field), &row);
  for (const auto& pipeline : services.engine.pipelines()) {
    const auto& row = pipeline.row;
    for (auto at = stored.lower_bound({row.id, ""});
         at != stored.end() && at->first.first == row.id; ++at) {
      add("pipeline", row.id, row.name, {at->first.second, {true, at->second->changed_at}});
    }
  }
  for (Item& item : items) {
    const auto found = stored.find({item.id, item.name});
    if (found != stored.end()) item.row = found->second;
  }
  return items;
}

Json item_view(const Item& item, const secrets::Vault& vault) {
  Json json = json_object();
  json["name"] = item.name;
  json["set"] = item.set;
  json["changedAt"] = time_or_null(item.changed_at);
  json["source"] = Json::null();
  json["problem"] = Json::null();
  if (item.row) {
    const auto& row = *item.row;
    const auto text = vault.unseal(row.connection_id, row.field, row.version, row.sealed);
    const bool elsewhere = text && secrets::is_reference(text->reveal());
    const bool environment = elsewhere && text->reveal().starts_with("env:");
    json["source"] = !elsewhere ? "stored" : environment ? "environment" : "file";
    const auto value = text ? secrets::resolve_reference(*text) : text;
    if (!value) json["problem"] = value.error().message;
  }
  Json user = json_object();
  user["kind"] = std::string(item.kind);
  user["id"] = item.id;
  user["name"] = item.user;
  json["usedBy"] = std::move(user);
  return json;
}

std::expected<std::optional<bool>, Problem> query_set(const Request& request) {
  if (!request.query_value("set")) return std::nullopt;
  auto flag = query_flag(request, "set", false);
  TRIBUTARY_TRY(flag);
  return *flag;
}

}  // namespace

Task<Answer> list_secrets(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto set = query_set(request);
  TRIBUTARY_CO_TRY(set);
  std::move_only_function<Result<Rows>(store::SessionRef)> work = [](soci::session& sql) {
    return store::Secrets::all(sql);
  };
  auto rows = co_await services.store.read<Rows>(std::move(work));
  TRIBUTARY_CO_TRY(rows);
  std::vector<Item> items = collect(services, *rows);
  const auto name = request.query_value("name");
  std::erase_if(items, [&](const Item& item) {
    return (*set && item.set != **set) || (name && !contains_ignoring_case(item.name, *name) &&
                                           !contains_ignoring_case(item.user, *name));
  });
  co_return Response::of(make_page(std::move(items), *page, key_of, [&](const Item& item) {
    return item_view(item, services.vault);
  }));
}

}  // namespace tributary::api::handlers
