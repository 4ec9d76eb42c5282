// Connections: create, edit, delete.
#include "base/id.hpp"
#include "connect/manager_impl.hpp"
#include "connect/named.hpp"
#include "connect/suspension.hpp"
#include "runtime/log.hpp"
#include "store/connection_versions.hpp"

namespace tributary::connect {

namespace {

// Takes part in a dry check only: its session never opens, so it has nothing to tell.
class NoEvents final : public sdk::SessionEvents {
 public:
  void lost(Error /*error*/) override {}
};

Json without(const Json& body, std::string_view member) {
  Json copy = body;
  if (copy.is_object()) copy.erase(member);
  return copy;
}

// What an edit means for what is running.
struct Change {
  bool settings = false;
  bool credentials = false;
  bool any() const { return settings || credentials; }
};

Change compare(const ConnectionEntry& entry, const store::ConnectionRow& row,
               bool secrets_changed) {
  Change change;
  change.settings = entry.row.settings != row.settings;
  const bool user_changed =
      get_member(entry.row.settings, "username") != get_member(row.settings, "username");
  change.credentials = secrets_changed || user_changed;
  return change;
}

// One edit, as it goes to the store.
struct Edit {
  store::ConnectionRow row;
  std::vector<store::SecretRow> secrets;     // new or with another value
  std::vector<std::string> removed_secrets;  // names
  std::string actor;

  Json changed_secrets() const {
    Json names = json_array();
    for (const auto& secret : secrets) names.push_back(secret.field);
    for (const auto& name : removed_secrets) names.push_back(name);
    return names;
  }
};

Task<Result<void>> store_connection(store::Store& store, Edit edit, bool insert) {
  return store.write<void>([edit = std::move(edit), insert](soci::session& sql) -> Result<void> {
    TRIBUTARY_TRY(insert ? store::Connections::insert(sql, edit.row)
                         : store::Connections::update(sql, edit.row));
    for (const auto& field : edit.removed_secrets)
      TRIBUTARY_TRY(store::Secrets::remove(sql, edit.row.id, field));
    for (const auto& secret : edit.secrets) TRIBUTARY_TRY(store::Secrets::put(sql, secret));
    return store::ConnectionVersions::add(sql, edit.row, edit.changed_secrets(), edit.actor);
  });
}

void keep_intent(store::ConnectionRow& row, const store::ConnectionRow& present) {
  row.intent = present.intent;
  const bool suspended = present.intent == "suspended";
  put_suspension(row, suspended ? std::optional(suspension_of(present)) : std::nullopt);
}

bool differs(const store::SecretRow& row, const std::vector<store::SecretRow>& present) {
  const auto old = std::ranges::find(present, row.field, &store::SecretRow::field);
  return old == present.end() || old->version != row.version;
}

}  // namespace

std::optional<Error> Manager::Impl::name_taken(const std::string& name,
                                               const std::string& except_id) const {
  const auto found = connection_names.find(name);
  const bool free = found == connection_names.end() || found->second == except_id;
  if (free && !arriving_names.contains(arriving_name({}, name))) return std::nullopt;
  return name_taken_error("connection", name);
}

Result<void> Manager::Impl::may_change() const {
  if (!closing) return {};
  return fail(ErrorClass::kInternal, "hub_stopping",
              "The hub is stopping: nothing is changed any more.",
              "Repeat it when the hub is there again.");
}

FieldErrors Manager::Impl::dry_check(const ConnectionConfig& config) {
  auto profile = open_profile(config, vault);
  // A reference that does not resolve today may do so when the connection starts: the attempt will
  // say so.
  if (!profile) return {};
  NoEvents events;
  const sdk::SessionContext context{runtime.control(), runtime.clock(), runtime.timers(),
                                    network,           events,          options.http};
  auto session = config.type->connector->make_session(context, *profile);
  if (!session) return {to_field_error(session.error(), "/settings")};
  return {};
}

Task<Outcome<ConnectionView>> Manager::Impl::create(Json body, Actor actor, bool dry_run) {
  auto errors = check_connection_body(body, registry);
  if (!errors.empty()) co_return invalid(std::move(errors));
  const auto lock = co_await mutations.lock_shared();
  TRIBUTARY_CO_TRY(may_change());
  ConnectionEntry entry;
  const UtcTime now = runtime.clock().utc_now();
  from_body(body, entry.row);
  entry.row.id = make_id(now);
  entry.row.created_at = entry.row.updated_at = now;
  entry.row.intent = entry.row.autostart ? "running" : "stopped";
  entry.type = registry.find(entry.row.type);
  entry.secrets =
      seal_secrets(vault, entry.row.id, {}, get_member(body, "secrets"), runtime.clock().utc_now());
  entry.state.since = now;
  if (auto taken = name_taken(entry.row.name, {})) co_return refused(*std::move(taken));
  const auto config = config_of(entry);
  errors = dry_check(*config);
  if (!errors.empty()) co_return invalid(std::move(errors));
  if (dry_run) co_return to_view(entry);

  const Arriving arriving(arriving_names, arriving_name({}, entry.row.name));
  Edit edit{entry.row, entry.secrets, {}, actor.name};
  Result<void> stored = co_await store_connection(store, std::move(edit), true);
  if (!stored) co_return refused(std::move(stored.error()));
  co_await adopt_draft(config, actor);
  entry.actor = make_actor(entry, 0);
  const std::string id = entry.row.id;
  const bool autostart = entry.row.autostart;
  const auto actor_of = entry.actor;
  actor_of->post(lifecycle::Created{actor.name});
  connection_names[entry.row.name] = id;
  connections.emplace(id, std::move(entry));
  check_unique_settings(id);
  catalogue_changed();
  if (autostart) {
    lifecycle::Event start = lifecycle::Start{actor.name, {}, false};
    auto started = co_await command(id, std::move(start));
    if (!started) co_return refused(std::move(started.error()));
    co_return *std::move(started);
  }
  co_return to_view(connections.at(id));
}

Task<Outcome<ConnectionView>> Manager::Impl::update(std::string id, Json patch,
                                                    std::int64_t expected_version, Actor actor,
                                                    bool dry_run) {
  const auto lock = co_await mutations.lock();
  TRIBUTARY_CO_TRY(may_change());
  auto found = find_usable(id);
  if (!found) co_return refused(std::move(found.error()));
  ConnectionEntry& entry = **found;
  if (expected_version != 0 && expected_version != entry.row.version) {
    co_return refused(
        Error(ErrorClass::kFunction, "version_conflict",
              fmt::format("The connection was changed meanwhile: it is at version {}.",
                          entry.row.version),
              "Load it again and repeat the change."));
  }
  if (!patch.is_object())
    co_return invalid({{"", "wrong_type", "The patch must be a JSON object."}});
  auto errors = check_unchanged(patch, "type", entry.row.type);
  if (!errors.empty()) co_return invalid(std::move(errors));
  Json body = merge_patch(to_body(entry.row), without(patch, "secrets"));
  const Json secret_patch = get_member(patch, "secrets");
  if (!secret_patch.is_null()) body["secrets"] = secret_patch;
  errors = check_connection_body(body, registry);
  if (!errors.empty()) co_return invalid(std::move(errors));

  ConnectionEntry changed = entry;
  from_body(body, changed.row);
  ++changed.row.version;
  changed.row.updated_at = runtime.clock().utc_now();
  changed.secrets = seal_secrets(vault, id, entry.secrets, secret_patch, runtime.clock().utc_now());
  if (auto taken = name_taken(changed.row.name, id)) co_return refused(*std::move(taken));
  auto config = config_of(changed);
  errors = dry_check(*config);
  if (!errors.empty()) co_return invalid(std::move(errors));
  if (dry_run) co_return to_view(changed);

  Edit edit{changed.row, {}, {}, actor.name};
  std::ranges::copy_if(changed.secrets, std::back_inserter(edit.secrets),
                       [&](const auto& row) { return differs(row, entry.secrets); });
  for (const auto& old : entry.secrets) {
    if (std::ranges::find(changed.secrets, old.field, &store::SecretRow::field) ==
        changed.secrets.end()) {
      edit.removed_secrets.push_back(old.field);
    }
  }
  const bool secrets_changed = !edit.secrets.empty() || !edit.removed_secrets.empty();
  Change change = compare(entry, changed.row, secrets_changed);
  Result<void> stored = co_await store_connection(store, std::move(edit), false);
  if (!stored) co_return refused(std::move(stored.error()));
  const bool adopted = co_await adopt_draft(config, actor);
  change.credentials = change.credentials || adopted;
  // The intent may have changed while the disk was busy: it is not part of an edit (edge case 13).
  auto* current = find(id);
  if (!current)
    co_return refused(
        Error(ErrorClass::kFunction, "not_found", "The connection was deleted meanwhile."));
  keep_intent(changed.row, current->row);
  connection_names.erase(current->row.name);
  connection_names[changed.row.name] = id;
  current->row = changed.row;
  current->secrets = changed.secrets;
  check_unique_settings(id);
  if (adopted) config = config_of(*current);
  const auto target = current->actor;
  const bool restart = change.any();
  auto configure = [target, config, restart, change, by = actor.name] {
    return target->configure(config, restart, change.credentials, by);
  };
  // What became of the state comes with the actor's news.
  static_cast<void>(co_await run_on(target->executor(), std::move(configure)));
  current = find(id);
  catalogue_changed();
  if (!current)
    co_return refused(
        Error(ErrorClass::kFunction, "not_found", "The connection was deleted meanwhile."));
  co_return to_view(*current);
}

Task<void> Manager::Impl::take_back_deletion(std::string id) {
  auto* entry = find(id);
  if (!entry || !entry->actor) co_return;
  const auto target = entry->actor;
  auto undelete = [target] { return target->command(lifecycle::Undeleted{}); };
  Result<StateView> back = co_await run_on(target->executor(), std::move(undelete));
  entry = find(id);
  if (!back || !entry) co_return;
  // The actor had dropped its functions.
  for (const auto& [name, function_id] : function_names[id])
    install(functions.at(function_id), *entry);
}

void Manager::Impl::forget(const std::string& id) {
  for (const auto& [name, function_id] : function_names[id]) {
    routes.erase(function_id);
    functions.erase(function_id);
  }
  function_names.erase(id);
  if (auto* entry = find(id)) {
    connection_names.erase(entry->row.name);
    if (entry->actor) {
      const Executor executor = entry->actor->executor();
      asio::post(executor, [actor_of = std::move(entry->actor)] {});
    }
    connections.erase(id);
  }
  check_unique_settings(id);
  alarms.clear_all(id, {});
  certificates.forget_connection(id);
  used_credentials.erase(id);
  shared->rollup->forget(id);
}

Task<Result<void>> Manager::Impl::remove(std::string id, bool force, Actor actor) {
  const auto lock = co_await mutations.lock();
  TRIBUTARY_CO_TRY(may_change());
  auto* entry = find(id);
  if (!entry) co_return fail(ErrorClass::kFunction, "not_found", "There is no such connection.");
  if (const auto target = entry->actor) {
    auto remove_actor = [target, event = lifecycle::Delete{actor.name, force}] {
      return target->command(event);
    };
    Result<StateView> gone = co_await run_on(target->executor(), std::move(remove_actor));
    if (!gone) co_return fail(std::move(gone.error()));
  }
  auto removal =
      store.write<void>([id](soci::session& sql) { return store::Connections::remove(sql, id); });
  Result<void> stored = co_await std::move(removal);
  if (!stored) {
    log::error("connect", "A connection was stopped for deletion but could not be deleted.",
               {{"connection", id}, {"error", stored.error().message}});
    co_await take_back_deletion(id);
    co_return stored;
  }
  StateChange change;
  change.connection_id = id;
  if (entry = find(id); entry) {
    change.connection_name = entry->row.name;
    change.from = entry->state.status;
    change.state = entry->state;
  }
  change.removed = true;
  forget(id);
  on_change(change);
  catalogue_changed();
  co_return Result<void>{};
}

Task<Outcome<ConnectionView>> Manager::create(Json body, Actor actor, bool dry_run) {
  return impl_->create(std::move(body), std::move(actor), dry_run);
}
Task<Outcome<ConnectionView>> Manager::update(std::string id, Json patch,
                                              std::int64_t expected_version, Actor actor,
                                              bool dry_run) {
  return impl_->update(std::move(id), std::move(patch), expected_version, std::move(actor),
                       dry_run);
}
Task<Result<void>> Manager::remove(std::string id, bool force, Actor actor) {
  return impl_->remove(std::move(id), force, std::move(actor));
}

}  // namespace tributary::connect
