#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

const std::string kPipelineColumns =
    "id, version, name, description, labels, document, enabled, created_at, updated_at";
const std::string kRunColumns =
    "id, pipeline_id, status, trigger_name, started_at, ended_at, records_in, records_out, errors, "
    "detail, input";
// The input may be long and is wanted rarely: lists say only whether there is one.
const std::string kReadRunColumns =
    "id, pipeline_id, status, trigger_name, started_at, ended_at, records_in, records_out, errors, "
    "detail, case when input = '' then '' else 'kept' end";
const std::string kVersionColumns = "pipeline_id, version, document, actor, at, head";

PipelineRow read_pipeline(Columns& columns) {
  PipelineRow row;
  row.id = columns.text();
  row.version = columns.number();
  row.name = columns.text();
  row.description = columns.text();
  row.labels = columns.document();
  row.document = columns.document();
  row.enabled = columns.flag();
  row.created_at = columns.time();
  row.updated_at = columns.time();
  return row;
}

PipelineVersionRow read_version(Columns& columns) {
  PipelineVersionRow row;
  row.pipeline_id = columns.text();
  row.version = columns.number();
  row.document = columns.document();
  row.actor = columns.text();
  row.at = columns.time();
  row.head = columns.document();
  return row;
}

PipelineDraftRow read_draft(Columns& columns) {
  PipelineDraftRow row;
  row.pipeline_id = columns.text();
  row.version = columns.number();
  row.base_version = columns.number();
  row.document = columns.document();
  row.actor = columns.text();
  row.at = columns.time();
  return row;
}

PipelineFailureRow read_failure(Columns& columns) {
  PipelineFailureRow row;
  row.pipeline_id = columns.text();
  row.node_id = columns.text();
  row.error_class = columns.text();
  row.code = columns.text();
  row.message = columns.text();
  row.at = columns.time();
  row.input = columns.document();
  return row;
}

Json read_input(Columns& columns) {
  return columns.document();
}

RunRow read_run(Columns& columns) {
  RunRow row;
  row.id = columns.text();
  row.pipeline_id = columns.text();
  row.status = columns.text();
  row.trigger = columns.text();
  row.started_at = columns.time();
  row.ended_at = columns.maybe_time();
  row.records_in = columns.number();
  row.records_out = columns.number();
  row.errors = columns.number();
  row.detail = columns.document();
  row.input_kept = !columns.text().empty();
  return row;
}

Result<void> add_version(soci::session& sql, const PipelineRow& row, const std::string& actor) {
  Json head = Json(jsoncons::json_object_arg);
  head.insert_or_assign("name", row.name);
  head.insert_or_assign("description", row.description);
  head.insert_or_assign("labels", row.labels);
  TRIBUTARY_TRY(execute(sql,
                        "insert into pipeline_versions (" + kVersionColumns +
                            ") values (:pipeline_id, :version, :document, :actor, :at, :head)",
                        {row.id, row.version, row.document, actor, row.updated_at, head}));
  return {};
}

}  // namespace

Result<void> Pipelines::insert(soci::session& sql, const PipelineRow& row,
                               const std::string& actor) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into pipelines (" + kPipelineColumns +
                            ") values (:id, :version, :name, :description, :labels, :document, "
                            ":enabled, :created_at, "
                            ":updated_at)",
                        {row.id, row.version, row.name, row.description, row.labels, row.document,
                         row.enabled, row.created_at, row.updated_at}));
  return add_version(sql, row, actor);
}

Result<void> Pipelines::update(soci::session& sql, const PipelineRow& row,
                               const std::string& actor) {
  auto stored = select_number(sql, "select version from pipelines where id = :id", {row.id});
  TRIBUTARY_TRY(check_version(std::move(stored), row.version, "pipeline"));
  TRIBUTARY_TRY(execute(
      sql,
      "update pipelines set version = :version, name = :name, description = :description, "
      "labels = :labels, document = :document, enabled = :enabled, created_at = :created_at, "
      "updated_at = :updated_at where id = :id",
      {row.version, row.name, row.description, row.labels, row.document, row.enabled,
       row.created_at, row.updated_at, row.id}));
  return add_version(sql, row, actor);
}

Result<void> Pipelines::set_enabled(soci::session& sql, const std::string& id, bool enabled) {
  return expect_one(
      execute(sql, "update pipelines set enabled = :enabled where id = :id", {enabled, id}),
      "This pipeline does not exist.");
}

Result<void> Pipelines::remove(soci::session& sql, const std::string& id) {
  TRIBUTARY_TRY(expect_one(execute(sql, "delete from pipelines where id = :id", {id}),
                           "This pipeline does not exist."));
  TRIBUTARY_TRY(execute(sql, "delete from pipeline_versions where pipeline_id = :id", {id}));
  TRIBUTARY_TRY(execute(sql, "delete from pipeline_drafts where pipeline_id = :id", {id}));
  TRIBUTARY_TRY(execute(sql, "delete from pipeline_failures where pipeline_id = :id", {id}));
  TRIBUTARY_TRY(execute(sql, "delete from runs where pipeline_id = :id", {id}));
  TRIBUTARY_TRY(execute(sql, "delete from secrets where connection_id = :id", {id}));
  return {};
}

Result<std::vector<PipelineRow>> Pipelines::all(soci::session& sql) {
  return select(sql, "select " + kPipelineColumns + " from pipelines order by id", {},
                &read_pipeline);
}

Result<std::vector<PipelineVersionRow>> Pipelines::versions(soci::session& sql,
                                                            const std::string& pipeline_id) {
  return select(sql,
                "select " + kVersionColumns +
                    " from pipeline_versions where pipeline_id = :id order by version desc",
                {pipeline_id}, &read_version);
}

Result<std::optional<PipelineVersionRow>> Pipelines::find_version(soci::session& sql,
                                                                  const std::string& pipeline_id,
                                                                  std::int64_t version) {
  return select_one(sql,
                    "select " + kVersionColumns +
                        " from pipeline_versions where pipeline_id = :id and version = :version",
                    {pipeline_id, version}, &read_version);
}

Result<void> PipelineDrafts::put(soci::session& sql, const PipelineDraftRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into pipeline_drafts (pipeline_id, version, base_version, document, actor, at) "
      "values "
      "(:pipeline_id, :version, :base_version, :document, :actor, :at) on conflict (pipeline_id) "
      "do "
      "update set version = excluded.version, base_version = excluded.base_version, document = "
      "excluded.document, actor = excluded.actor, at = excluded.at",
      {row.pipeline_id, row.version, row.base_version, row.document, row.actor, row.at}));
  return {};
}

Result<void> PipelineDrafts::clear(soci::session& sql, const std::string& pipeline_id) {
  TRIBUTARY_TRY(execute(sql, "update pipeline_drafts set document = 'null' where pipeline_id = :id",
                        {pipeline_id}));
  return {};
}

Result<std::vector<PipelineDraftRow>> PipelineDrafts::all(soci::session& sql) {
  return select(sql,
                "select pipeline_id, version, base_version, document, actor, at from "
                "pipeline_drafts order by pipeline_id",
                {}, &read_draft);
}

Result<void> PipelineFailures::put(soci::session& sql, const PipelineFailureRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into pipeline_failures (pipeline_id, node_id, error_class, code, message, at, "
      "input) values (:pipeline_id, :node_id, :error_class, :code, :message, :at, :input) "
      "on conflict (pipeline_id, node_id) do update set error_class = excluded.error_class, "
      "code = excluded.code, message = excluded.message, at = excluded.at, input = "
      "excluded.input",
      {row.pipeline_id, row.node_id, row.error_class, row.code, row.message, row.at, row.input}));
  return {};
}

Result<void> PipelineFailures::remove(soci::session& sql, const std::string& pipeline_id,
                                      const std::string& node_id) {
  TRIBUTARY_TRY(execute(
      sql, "delete from pipeline_failures where pipeline_id = :pipeline_id and node_id = :node_id",
      {pipeline_id, node_id}));
  return {};
}

Result<std::vector<PipelineFailureRow>> PipelineFailures::all(soci::session& sql) {
  return select(sql,
                "select pipeline_id, node_id, error_class, code, message, at, input from "
                "pipeline_failures order by pipeline_id, node_id",
                {}, &read_failure);
}

Result<void> Runs::put(soci::session& sql, const RunRow& row) {
  TRIBUTARY_TRY(execute(
      sql,
      "insert into runs (" + kRunColumns +
          ") values (:id, :pipeline_id, :status, :trigger_name, :started_at, :ended_at, "
          ":records_in, :records_out, :errors, :detail, :input) on conflict (id) do update set "
          "status = excluded.status, trigger_name = excluded.trigger_name, ended_at = "
          "excluded.ended_at, records_in = excluded.records_in, records_out = "
          "excluded.records_out, errors = excluded.errors, detail = excluded.detail, input = case "
          "when excluded.input = '' then runs.input else excluded.input end",
      {row.id, row.pipeline_id, row.status, row.trigger, row.started_at, row.ended_at,
       row.records_in, row.records_out, row.errors, row.detail,
       row.input.is_null() ? std::string() : to_text(row.input)}));
  return {};
}

Result<std::optional<RunRow>> Runs::find(soci::session& sql, const std::string& id) {
  return select_one(sql, "select " + kReadRunColumns + " from runs where id = :id", {id},
                    &read_run);
}

Result<Json> Runs::input(soci::session& sql, const std::string& id) {
  auto found =
      select_one(sql, "select input from runs where id = :id and input <> ''", {id}, &read_input);
  if (!found) return fail(std::move(found.error()));
  return found->value_or(Json::null());
}

Result<std::vector<RunRow>> Runs::list(soci::session& sql, const std::string& pipeline_id,
                                       const std::string& before, std::size_t limit,
                                       const RunFilter& filter) {
  // Identifiers sort by the time they were made; "~" sorts behind all of them.
  std::string where = " from runs where pipeline_id = :pipeline_id and id < :before";
  std::vector<Bind> binds{pipeline_id, before.empty() ? std::string("~") : before};
  if (!filter.status.empty()) {
    where += " and status = :status";
    binds.emplace_back(filter.status);
  }
  if (!filter.trigger.empty()) {
    // A row of many runs names all of its triggers: "t1, t2".
    where +=
        " and replace(', ' || trigger_name || ',', :trigger_name, '') <> ', ' || trigger_name || "
        "','";
    binds.emplace_back(", " + filter.trigger + ",");
  }
  if (filter.from) {
    where += " and started_at >= :from_time";
    binds.emplace_back(*filter.from);
  }
  if (filter.to) {
    where += " and started_at < :to_time";
    binds.emplace_back(*filter.to);
  }
  binds.emplace_back(limit);
  return select(sql, "select " + kReadRunColumns + where + " order by id desc limit :limit", binds,
                &read_run);
}

Result<void> Runs::trim(soci::session& sql, const std::string& pipeline_id, std::size_t keep,
                        UtcTime oldest) {
  TRIBUTARY_TRY(execute(
      sql,
      "delete from runs where pipeline_id = :pipeline_id and status <> 'running' and started_at < "
      ":oldest",
      {pipeline_id, oldest}));
  TRIBUTARY_TRY(execute(sql,
                        "delete from runs where pipeline_id = :pipeline_id and status <> 'running' "
                        "and id not in (select id from runs where pipeline_id = :same_id order by "
                        "id desc limit :keep)",
                        {pipeline_id, pipeline_id, keep}));
  return {};
}

Result<void> Runs::end_running(soci::session& sql, UtcTime at) {
  TRIBUTARY_TRY(execute(
      sql, "update runs set status = 'cancelled', ended_at = :at where status = 'running'", {at}));
  return {};
}

}  // namespace tributary::store
