#include "api/diagnostics/bundle.hpp"

#include "api/audit_view.hpp"
#include "api/diagnostics/scrub.hpp"
#include "api/metrics.hpp"
#include "api/problem.hpp"
#include "api/views.hpp"
#include "connect/alarms.hpp"
#include "notices/notices.hpp"
#include "orchestrate/hooks/secrets.hpp"
#include "runtime/log_control.hpp"
#include "secrets/vault.hpp"
#include "store/newest_history.hpp"

namespace tributary::api {
namespace {

constexpr std::size_t kEventsOfEach = 50;
constexpr std::size_t kAuditRows = 500;

// What only the store knows.
struct Rows {
  std::vector<store::HistoryRow> events;
  std::vector<store::AuditRow> audit;
  std::vector<store::SecretRow> secrets;
};

template <typename T>
Result<void> take(Result<T> found, T& place) {
  if (!found) return fail(std::move(found.error()));
  place = std::move(*found);
  return {};
}

Task<Result<Rows>> read_rows(Services& services) {
  std::vector<std::string> ids;
  for (const auto& connection : services.manager.connections()) ids.push_back(connection.row.id);
  std::move_only_function<Result<Rows>(store::SessionRef)> work =
      [ids = std::move(ids)](soci::session& sql) -> Result<Rows> {
    Rows rows;
    TRIBUTARY_TRY(take(store::newest_history(sql, ids, kEventsOfEach), rows.events));
    TRIBUTARY_TRY(take(store::Audit::list(sql, 0, kAuditRows), rows.audit));
    TRIBUTARY_TRY(take(store::Secrets::all(sql), rows.secrets));
    return rows;
  };
  co_return co_await services.store.read<Rows>(std::move(work));
}

// Every secret of the hub as its text, also where it stands elsewhere. One that cannot be read
// cannot stand in what was made with it either.
std::vector<std::string> texts_of(const std::vector<store::SecretRow>& rows,
                                  const secrets::Vault& vault) {
  std::vector<std::string> texts;
  for (const auto& row : rows) {
    const auto stored = vault.unseal(row.connection_id, row.field, row.version, row.sealed);
    if (!stored) continue;
    const auto text = secrets::resolve_reference(*stored);
    if (text) texts.emplace_back(text->reveal());
  }
  return texts;
}

template <typename Items, typename Show>
Json list_of(const Items& items, Show show) {
  Json list = json_array();
  for (const auto& item : items) list.push_back(show(item));
  return list;
}

Json event_of(const store::HistoryRow& row) {
  Json json = event_view(row);
  json["connectionId"] = row.connection_id;
  return json;
}

Json pipeline_of(const orchestrate::PipelineView& pipeline) {
  Json json = pipeline_view(pipeline);
  // Data of the plant is nobody's business but the plant's.
  for (Json& node : json.at("state").at("nodes").array_range()) node.erase("lastFailedInput");
  return orchestrate::hooks::without_secrets(json);
}

// Where notices go is told nowhere: the address of a receiver is often all that one needs to write
// to it.
Json notice_of(const notices::NoticeView& notice) {
  Json json = json_object();
  json["id"] = notice.row.id;
  json["name"] = notice.row.name;
  json["enabled"] = notice.row.enabled;
  json["delivered"] = notice.row.delivered;
  json["failed"] = notice.row.failed;
  json["dropped"] = notice.row.dropped;
  json["pending"] = notice.pending;
  json["lastError"] = Json::null();
  if (notice.last_error) json["lastError"] = to_json(*notice.last_error);
  return json;
}

Json audit_of(const store::AuditRow& row) {
  Json json = audit_view(row);
  json.erase("seq");
  if (!row.action.starts_with("notice.") || !row.detail.is_object()) return json;
  for (const char* place : {"body", "patch"}) {
    Json& detail = json.at("detail");
    if (detail.contains(place) && detail.at(place).is_object()) detail.at(place).erase("url");
  }
  return json;
}

Json functions_of(const Services& services) {
  Json list = json_array();
  for (const auto& connection : services.manager.connections()) {
    for (const auto& function : services.manager.functions(connection.row.id))
      list.push_back(function_view(function, services.manager.registry()));
  }
  return list;
}

constexpr std::string_view kReadMe =
    "Made by Tributary for those who help to find a fault. Every file was searched for the hub's\n"
    "secrets and for what looks like one; what was found is \"(removed)\". Values of the plant "
    "are\n"
    "not in it. Look through it before you pass it on: names, addresses and settings are.\n";

}  // namespace

Task<Result<std::string>> make_diagnostics(Services& services) {
  auto rows = co_await read_rows(services);
  if (!rows) co_return fail(std::move(rows.error()));
  const Scrubber scrubber(texts_of(rows->secrets, services.vault));
  const Json system = co_await system_view(services);
  std::string log;
  for (const std::string& line : log::last_lines()) log += line;

  const auto document = [&](const char* name, const Json& json) {
    return ArchiveFile{name, scrubber.document(json) + "\n"};
  };
  std::vector<ArchiveFile> files;
  files.push_back({"README.txt", std::string(kReadMe)});
  files.push_back(document("system.json", system));
  files.push_back(
      document("connections.json", list_of(services.manager.connections(), connection_view)));
  files.push_back(document("functions.json", functions_of(services)));
  files.push_back(document("pipelines.json", list_of(services.engine.pipelines(), pipeline_of)));
  files.push_back(document("notices.json", list_of(services.notices.notices(), notice_of)));
  files.push_back(document("alarms.json", list_of(services.manager.alarms().active(), alarm_view)));
  files.push_back(document("events.json", list_of(rows->events, event_of)));
  files.push_back(document("audit.json", list_of(rows->audit, audit_of)));
  files.push_back({"metrics.txt", scrubber.text(services.metrics.render(services))});
  files.push_back({"log.jsonl", scrubber.text(std::move(log))});
  co_return make_tar_gz(files, services.runtime.clock().utc_now());
}

}  // namespace tributary::api
