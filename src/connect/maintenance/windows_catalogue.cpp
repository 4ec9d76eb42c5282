// Maintenance windows: list, make, edit, delete.
#include "base/id.hpp"
#include "connect/maintenance/windows.hpp"
#include "connect/named.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

namespace {

constexpr std::size_t kMaxWindows = 500;

Error no_such_window() {
  return {ErrorClass::kFunction, "not_found", "There is no such maintenance window."};
}

store::MaintenanceWindowRow with_body(store::MaintenanceWindowRow row, const Json& body) {
  row.name = get_string(body, "name");
  row.document = body;
  row.document.erase("name");
  return row;
}

// Whether an edit makes another plan of it, so that what was carried out does not count.
bool plans_differently(const Json& before, const Json& after) {
  return std::ranges::any_of(std::array{"timeZone", "schedule", "targets", "enabled"},
                             [&](std::string_view member) {
                               return get_member(before, member) != get_member(after, member);
                             });
}

}  // namespace

Json window_body(const store::MaintenanceWindowRow& row) {
  Json body = json_object();
  body["name"] = row.name;
  if (!row.document.is_object()) return body;
  for (const auto& member : row.document.object_range()) body[member.key()] = member.value();
  return body;
}

WindowView MaintenanceWindows::view(const Window& window) const {
  WindowView view{window.row, window.active_at(now()), window.next_after(now()), 0};
  for (const auto& target : host_.targets()) {
    if (target.suspension && target.suspension->window_id == window.row.id) ++view.holds;
  }
  return view;
}

std::vector<WindowView> MaintenanceWindows::windows() const {
  std::vector<WindowView> views;
  std::map<std::string, std::size_t> holds;
  for (const auto& target : host_.targets()) {
    if (target.suspension) ++holds[target.suspension->window_id];
  }
  for (const auto& [id, window] : windows_) {
    views.push_back({window.row, window.active_at(now()), window.next_after(now()), holds[id]});
  }
  return views;
}

std::optional<WindowView> MaintenanceWindows::window(const std::string& id) const {
  const auto found = windows_.find(id);
  if (found == windows_.end()) return std::nullopt;
  return view(found->second);
}

std::optional<Error> MaintenanceWindows::name_taken(const std::string& name,
                                                    const std::string& except_id) const {
  for (const auto& [id, window] : windows_) {
    if (id == except_id || window.row.name != name) continue;
    return name_taken_error("maintenance window", name);
  }
  return std::nullopt;
}

void MaintenanceWindows::check_ids(const Json& body, const Json& before,
                                   std::vector<schema::FieldError>& errors) const {
  const Json& ids = get_member(get_member(body, "targets"), "connectionIds");
  if (!ids.is_array()) return;
  std::set<std::string> known;
  for (const auto& target : host_.targets()) known.insert(target.row->id);
  const Json& kept = get_member(get_member(before, "targets"), "connectionIds");
  if (kept.is_array()) {
    for (const Json& id : kept.array_range()) known.insert(id.as<std::string>());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (known.contains(ids[i].as<std::string>())) continue;
    errors.push_back({fmt::format("/targets/connectionIds/{}", i), "not_allowed",
                      fmt::format("There is no connection \"{}\".", ids[i].as<std::string>())});
  }
}

Task<Outcome<WindowView>> MaintenanceWindows::create(Json body, Actor /*actor*/, bool dry_run) {
  std::vector<schema::FieldError> errors;
  auto definition = parse_window(body, errors);
  if (definition) check_ids(body, Json::null(), errors);
  if (!errors.empty()) co_return invalid(std::move(errors));
  const auto lock = co_await mutations_.lock();
  if (windows_.size() >= kMaxWindows) {
    co_return refused(Error(ErrorClass::kFunction, "too_many",
                            fmt::format("There are {} maintenance windows already, which is as "
                                        "many as there can be.",
                                        kMaxWindows),
                            "Delete those that are over."));
  }
  store::MaintenanceWindowRow row;
  row.created_at = row.updated_at = now();
  row.id = make_id(row.created_at);
  row = with_body(std::move(row), body);
  if (auto taken = name_taken(row.name, {})) co_return refused(*std::move(taken));
  Window window{std::move(row), *std::move(definition), {}, std::nullopt};
  if (dry_run) co_return view(window);
  auto insertion = store_.write<void>([stored = window.row](soci::session& sql) {
    return store::MaintenanceWindows::insert(sql, stored);
  });
  Result<void> stored = co_await std::move(insertion);
  if (!stored) co_return refused(std::move(stored.error()));
  const std::string id = window.row.id;
  windows_.emplace(id, std::move(window));
  check();
  co_return view(windows_.at(id));
}

Task<Outcome<WindowView>> MaintenanceWindows::update(std::string id, Json patch,
                                                     std::int64_t expected_version, Actor /*actor*/,
                                                     bool dry_run) {
  const auto lock = co_await mutations_.lock();
  const auto found = windows_.find(id);
  if (found == windows_.end()) co_return refused(no_such_window());
  const Window& present = found->second;
  if (expected_version != 0 && expected_version != present.row.version) {
    co_return refused(
        Error(ErrorClass::kFunction, "version_conflict",
              fmt::format("The maintenance window was changed meanwhile: it is at version {}.",
                          present.row.version),
              "Load it again and repeat the change."));
  }
  if (!patch.is_object())
    co_return invalid({{"", "wrong_type", "The patch must be a JSON object."}});
  const Json body = merge_patch(window_body(present.row), patch);
  std::vector<schema::FieldError> errors;
  auto definition = parse_window(body, errors);
  if (definition) check_ids(body, present.row.document, errors);
  if (!errors.empty()) co_return invalid(std::move(errors));
  store::MaintenanceWindowRow row = with_body(present.row, body);
  if (auto taken = name_taken(row.name, id)) co_return refused(*std::move(taken));
  ++row.version;
  row.updated_at = now();
  if (plans_differently(present.row.document, row.document)) row.applied_from.reset();
  Window changed{std::move(row), *std::move(definition), {}, std::nullopt};
  if (dry_run) co_return view(changed);
  auto change = store_.write<void>([stored = changed.row](soci::session& sql) {
    return store::MaintenanceWindows::update(sql, stored);
  });
  Result<void> stored = co_await std::move(change);
  if (!stored) co_return refused(std::move(stored.error()));
  // The only one who takes windows away holds the same lock.
  found->second = std::move(changed);
  settle(id);
  check();
  co_return view(found->second);
}

Task<Result<void>> MaintenanceWindows::remove(std::string id, Actor /*actor*/) {
  const auto lock = co_await mutations_.lock();
  if (!windows_.contains(id)) co_return fail(no_such_window());
  auto removal = store_.write<void>(
      [id](soci::session& sql) { return store::MaintenanceWindows::remove(sql, id); });
  Result<void> stored = co_await std::move(removal);
  if (!stored) co_return stored;
  windows_.erase(id);
  settle(id);
  co_return Result<void>{};
}

Result<MaintenanceWindows::Planned> MaintenanceWindows::planned(const std::string& id,
                                                                std::size_t limit) const {
  const auto found = windows_.find(id);
  if (found == windows_.end()) return fail(no_such_window());
  const auto& definition = found->second.definition;
  return Planned{definition.zone, occurrences(definition.rule, definition.zone, now(), limit)};
}

}  // namespace tributary::connect
