// Functions: create, edit, delete.
#include "base/id.hpp"
#include "connect/manager_impl.hpp"
#include "connect/named.hpp"

namespace tributary::connect {

namespace {

Error name_taken_error(const std::string& name) {
  return {ErrorClass::kFunction, "name_taken",
          fmt::format("The connection has a function named \"{}\" already.", name),
          "Choose another name.", "/name"};
}

}  // namespace

FieldErrors Manager::Impl::check_function(const ConnectionEntry& connection, const Json& body) {
  auto errors = check_function_body(body, *connection.type);
  if (!errors.empty()) return errors;
  store::FunctionRow row;
  from_body(body, row);
  const auto config = make_function_config(row, *connection.type->function(row.type));
  if (config->needs_filling) return {};  // checked at each call, with the parameters in place
  // What the connector binds itself has no value yet: any does for planning.
  Json parameters = json_object();
  for (const auto& name : config->parameters) parameters[name] = Json::null();
  const auto connection_config = make_config(connection.row, *connection.type, {});
  auto prepared = prepare_function(*connection_config, *config, parameters);
  if (!prepared) return {to_field_error(prepared.error(), "/settings")};
  return {};
}

bool Manager::Impl::function_name_taken(const store::FunctionRow& row) const {
  if (arriving_names.contains(arriving_name(row.connection_id, row.name))) return true;
  const auto names = function_names.find(row.connection_id);
  if (names == function_names.end()) return false;
  const auto found = names->second.find(row.name);
  return found != names->second.end() && found->second != row.id;
}

FunctionEntry& Manager::Impl::keep_function(FunctionEntry entry) {
  auto& names = function_names[entry.row.connection_id];
  if (const auto before = functions.find(entry.row.id); before != functions.end())
    names.erase(before->second.row.name);
  names[entry.row.name] = entry.row.id;
  auto& kept = functions[entry.row.id];
  kept = std::move(entry);
  return kept;
}

void Manager::Impl::install(FunctionEntry& entry, const ConnectionEntry& connection) {
  entry.type = connection.type ? connection.type->function(entry.row.type) : nullptr;
  if (!entry.type || !connection.actor) return;
  entry.config = make_function_config(entry.row, *entry.type);
  if (!entry.stats) entry.stats = std::make_shared<FunctionStats>();
  routes.set(entry.row.id, connection.actor);
  asio::post(connection.actor->executor(),
             [actor = connection.actor, config = entry.config, stats = entry.stats] {
               actor->put_function(config, stats);
             });
}

Task<Outcome<FunctionView>> Manager::Impl::create_function(std::string connection_id, Json body,
                                                           Actor /*actor*/, bool dry_run) {
  const auto lock = co_await mutations.lock_shared();
  TRIBUTARY_CO_TRY(may_change());
  auto connection = find_usable(connection_id);
  if (!connection) co_return refused(std::move(connection.error()));
  auto errors = check_function(**connection, body);
  if (!errors.empty()) co_return invalid(std::move(errors));
  FunctionEntry entry;
  const UtcTime now = runtime.clock().utc_now();
  from_body(body, entry.row);
  entry.row.id = make_id(now);
  entry.row.connection_id = connection_id;
  entry.row.created_at = entry.row.updated_at = now;
  if (function_name_taken(entry.row)) co_return refused(name_taken_error(entry.row.name));
  if (dry_run) {
    entry.config = make_function_config(entry.row, *(*connection)->type->function(entry.row.type));
    entry.stats = std::make_shared<FunctionStats>();
    co_return to_view(entry);
  }
  const Arriving arriving(arriving_names, arriving_name(connection_id, entry.row.name));
  auto row = entry.row;
  auto change = store.write<void>(
      [row = std::move(row)](soci::session& sql) { return store::Functions::insert(sql, row); });
  Result<void> stored = co_await std::move(change);
  if (!stored) co_return refused(std::move(stored.error()));
  auto& kept = keep_function(std::move(entry));
  install(kept, **connection);
  catalogue_changed();
  co_return to_view(kept);
}

Task<Outcome<FunctionView>> Manager::Impl::update_function(std::string id, Json patch,
                                                           std::int64_t expected_version,
                                                           Actor /*actor*/, bool dry_run) {
  const auto lock = co_await mutations.lock();
  TRIBUTARY_CO_TRY(may_change());
  const auto found = functions.find(id);
  if (found == functions.end())
    co_return refused(Error(ErrorClass::kFunction, "not_found", "There is no such function."));
  auto connection = find_usable(found->second.row.connection_id);
  if (!connection) co_return refused(std::move(connection.error()));
  const auto& present = found->second.row;
  if (expected_version != 0 && expected_version != present.version) {
    co_return refused(Error(
        ErrorClass::kFunction, "version_conflict",
        fmt::format("The function was changed meanwhile: it is at version {}.", present.version),
        "Load it again and repeat the change."));
  }
  if (!patch.is_object())
    co_return invalid({{"", "wrong_type", "The patch must be a JSON object."}});
  auto errors = check_unchanged(patch, "type", present.type);
  if (!errors.empty()) co_return invalid(std::move(errors));
  const Json body = merge_patch(to_body(present), patch);
  errors = check_function(**connection, body);
  if (!errors.empty()) co_return invalid(std::move(errors));
  FunctionEntry changed = found->second;
  from_body(body, changed.row);
  ++changed.row.version;
  changed.row.updated_at = runtime.clock().utc_now();
  if (function_name_taken(changed.row)) co_return refused(name_taken_error(changed.row.name));
  if (dry_run) {
    changed.config = make_function_config(changed.row, *changed.type);
    co_return to_view(changed);
  }
  auto row = changed.row;
  auto change = store.write<void>(
      [row = std::move(row)](soci::session& sql) { return store::Functions::update(sql, row); });
  Result<void> stored = co_await std::move(change);
  if (!stored) co_return refused(std::move(stored.error()));
  auto& kept = keep_function(std::move(changed));
  install(kept, **connection);
  catalogue_changed();
  co_return to_view(kept);
}

Task<Result<void>> Manager::Impl::remove_function(std::string id, Actor /*actor*/) {
  const auto lock = co_await mutations.lock();
  TRIBUTARY_CO_TRY(may_change());
  if (!functions.contains(id))
    co_return fail(ErrorClass::kFunction, "not_found", "There is no such function.");
  auto change =
      store.write<void>([id](soci::session& sql) { return store::Functions::remove(sql, id); });
  Result<void> stored = co_await std::move(change);
  if (!stored) co_return stored;
  const auto target = routes.find(id);
  routes.erase(id);
  const auto found = functions.find(id);
  function_names[found->second.row.connection_id].erase(found->second.row.name);
  functions.erase(found);
  if (target) asio::post(target->executor(), [target, id] { target->remove_function(id); });
  catalogue_changed();
  co_return Result<void>{};
}

std::vector<FunctionView> Manager::functions(const std::string& connection_id) const {
  std::vector<FunctionView> views;
  const auto names = impl_->function_names.find(connection_id);
  if (names == impl_->function_names.end()) return views;
  views.reserve(names->second.size());
  for (const auto& [name, id] : names->second) views.push_back(to_view(impl_->functions.at(id)));
  return views;
}

std::vector<FunctionHead> Manager::function_heads(const std::string& connection_id) const {
  std::vector<FunctionHead> heads;
  const auto add = [&heads](const FunctionEntry& entry) {
    heads.push_back({entry.row.id, entry.row.name, entry.row.type});
  };
  if (connection_id.empty()) {
    heads.reserve(impl_->functions.size());
    for (const auto& [id, entry] : impl_->functions) add(entry);
  } else if (const auto names = impl_->function_names.find(connection_id);
             names != impl_->function_names.end()) {
    for (const auto& [name, id] : names->second) add(impl_->functions.at(id));
  }
  return heads;
}

std::optional<FunctionView> Manager::function(const std::string& id) const {
  const auto found = impl_->functions.find(id);
  if (found == impl_->functions.end()) return std::nullopt;
  return to_view(found->second);
}

Task<Outcome<FunctionView>> Manager::create_function(std::string connection_id, Json body,
                                                     Actor actor, bool dry_run) {
  return impl_->create_function(std::move(connection_id), std::move(body), std::move(actor),
                                dry_run);
}
Task<Outcome<FunctionView>> Manager::update_function(std::string id, Json patch,
                                                     std::int64_t expected_version, Actor actor,
                                                     bool dry_run) {
  return impl_->update_function(std::move(id), std::move(patch), expected_version, std::move(actor),
                                dry_run);
}
Task<Result<void>> Manager::remove_function(std::string id, Actor actor) {
  return impl_->remove_function(std::move(id), std::move(actor));
}

}  // namespace tributary::connect
