#include "store/query.hpp"
#include "store/repositories.hpp"

namespace tributary::store {

namespace {

const std::string kPipelineColumns =
    "id, version, name, description, labels, document, enabled, created_at, updated_at";
const std::string kRunColumns =
    "id, pipeline_id, status, trigger_name, started_at, ended_at, records_in, records_out, errors, "
    "detail";

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
  return row;
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
  return row;
}

Result<void> add_version(soci::session& sql, const PipelineRow& row, const std::string& actor) {
  TRIBUTARY_TRY(execute(sql,
                        "insert into pipeline_versions (pipeline_id, version, document, actor, at) "
                        "values (:pipeline_id, :version, :document, :actor, :at)",
                        {row.id, row.version, row.document, actor, row.updated_at}));
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
                "select pipeline_id, version, document, actor, at from pipeline_versions where "
                "pipeline_id = :id "
                "order by version desc",
                {pipeline_id}, &read_version);
}

Result<void> Runs::put(soci::session& sql, const RunRow& row) {
  TRIBUTARY_TRY(
      execute(sql,
              "insert into runs (" + kRunColumns +
                  ") values (:id, :pipeline_id, :status, :trigger_name, :started_at, :ended_at, "
                  ":records_in, :records_out, :errors, :detail) on conflict (id) do update set "
                  "status = excluded.status, ended_at = excluded.ended_at, "
                  "records_in = excluded.records_in, records_out = excluded.records_out, "
                  "errors = excluded.errors, detail = excluded.detail",
              {row.id, row.pipeline_id, row.status, row.trigger, row.started_at, row.ended_at,
               row.records_in, row.records_out, row.errors, row.detail}));
  return {};
}

Result<std::optional<RunRow>> Runs::find(soci::session& sql, const std::string& id) {
  return select_one(sql, "select " + kRunColumns + " from runs where id = :id", {id}, &read_run);
}

Result<std::vector<RunRow>> Runs::list(soci::session& sql, const std::string& pipeline_id,
                                       const std::string& before, std::size_t limit) {
  // Identifiers sort by the time they were made; "~" sorts behind all of them.
  return select(sql,
                "select " + kRunColumns +
                    " from runs where pipeline_id = :pipeline_id and id < :before order by id desc "
                    "limit :limit",
                {pipeline_id, before.empty() ? std::string("~") : before, limit}, &read_run);
}

Result<void> Runs::trim(soci::session& sql, std::size_t keep) {
  TRIBUTARY_TRY(
      execute(sql,
              "delete from runs where status <> 'running' and id in (select id from (select id, "
              "row_number() "
              "over (partition by pipeline_id order by id desc) as place from runs) ranked "
              "where place > :keep)",
              {keep}));
  return {};
}

}  // namespace tributary::store
