#include "api/views.hpp"

#include <cmath>

#include "api/problem.hpp"
#include "connect/lifecycle/policy.hpp"

namespace tributary::api {
namespace {

// A thousandth of a millisecond.
double rounded(double value) {
  return std::round(value * 1000.0) / 1000.0;
}

double milliseconds(Duration duration) {
  return rounded(to_seconds(duration) * 1000.0);
}

std::string_view family_name(sdk::Family family) {
  switch (family) {
    case sdk::Family::kBroker:
      return "broker";
    case sdk::Family::kCloud:
      return "cloud";
    case sdk::Family::kFieldDevice:
      break;
  }
  return "fieldDevice";
}

Json strings(const std::vector<std::string>& texts) {
  Json list = json_array();
  for (const auto& text : texts) list.push_back(text);
  return list;
}

Json object_or_empty(const Json& json) {
  return json.is_object() ? json : json_object();
}

Json freshness_body(const store::FunctionRow& row) {
  Json json = json_object();
  json["expectMs"] = row.expect_ms;
  return json;
}

// Members that belong to the row, not to the document of a pipeline.
constexpr std::array<std::string_view, 4> kPipelineRowMembers{"name", "description", "labels",
                                                              "enabled"};

void add_document(Json& target, const Json& document) {
  for (const auto& member : document.object_range()) {
    if (std::ranges::find(kPipelineRowMembers, std::string_view(member.key())) ==
        kPipelineRowMembers.end()) {
      target[member.key()] = member.value();
    }
  }
  if (!target.contains("nodes")) target["nodes"] = json_array();
  if (!target.contains("edges")) target["edges"] = json_array();
}

}  // namespace

Json time_or_null(const std::optional<UtcTime>& time) {
  return time ? Json(format_utc(*time)) : Json::null();
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json::null() : Json(text);
}

Json connector_view(const sdk::Entry& entry) {
  const sdk::Manifest& manifest = entry.manifest;
  Json json = json_object();
  json["type"] = manifest.type;
  json["title"] = manifest.title;
  json["summary"] = manifest.summary;
  json["category"] = manifest.category;
  json["family"] = std::string(family_name(manifest.family));
  json["capabilities"] = strings(manifest.capabilities);
  json["aliases"] = strings(manifest.aliases);
  json["library"] = manifest.library;
  json["licence"] = manifest.licence;
  json["connectionSchema"] = entry.connection.document();
  json["reconnectSchema"] = connect::lifecycle::reconnect_schema_of(entry);
  Json functions = json_array();
  for (const auto& function : entry.functions) {
    Json item = json_object();
    item["type"] = function.type;
    item["title"] = function.title;
    item["summary"] = function.summary;
    item["kind"] = std::string(to_string(function.kind));
    item["polled"] = function.polled;
    item["idempotent"] = function.idempotent;
    item["schema"] = function.schema.document();
    functions.push_back(std::move(item));
  }
  json["functions"] = std::move(functions);
  json["guide"] = entry.guide;
  return json;
}

Json connection_view(const connect::ConnectionView& connection) {
  const store::ConnectionRow& row = connection.row;
  Json json = json_object();
  json["id"] = row.id;
  json["version"] = row.version;
  json["name"] = row.name;
  json["type"] = row.type;
  json["description"] = row.description;
  json["labels"] = object_or_empty(row.labels);
  json["settings"] = object_or_empty(row.settings);
  Json secrets = json_object();
  for (const auto& [name, secret] : connection.secrets) {
    Json item = json_object();
    item["set"] = secret.set;
    item["changedAt"] = time_or_null(secret.changed_at);
    secrets[name] = std::move(item);
  }
  json["secrets"] = std::move(secrets);
  json["autostart"] = row.autostart;
  json["reconnect"] = object_or_empty(row.reconnect);
  json["intent"] = row.intent;
  json["createdAt"] = format_utc(row.created_at);
  json["updatedAt"] = format_utc(row.updated_at);
  json["state"] = connect::to_json(connection.state);
  return json;
}

sdk::FunctionKind kind_of(const sdk::Registry& registry, std::string_view function_type) {
  const sdk::Entry* entry = registry.find(function_type.substr(0, function_type.find('.')));
  const sdk::FunctionType* type = entry ? entry->function(function_type) : nullptr;
  return type ? type->kind : sdk::FunctionKind::kRead;
}

Json function_view(const connect::FunctionView& function, const sdk::Registry& registry) {
  const store::FunctionRow& row = function.row;
  const sdk::FunctionKind kind = kind_of(registry, row.type);
  Json json = json_object();
  json["id"] = row.id;
  json["version"] = row.version;
  json["connectionId"] = row.connection_id;
  json["name"] = row.name;
  json["type"] = row.type;
  json["kind"] = std::string(to_string(kind));
  json["description"] = row.description;
  json["settings"] = object_or_empty(row.settings);
  json["enabled"] = row.enabled;
  json["idempotent"] = function.idempotent;
  json["freshness"] = freshness_body(row);
  json["parameters"] = strings(function.parameters);
  json["breaker"] = connect::to_json(function.breaker);
  json["subscription"] = Json::null();
  if (kind == sdk::FunctionKind::kSubscribe) {
    Json subscription = json_object();
    subscription["status"] = function.subscription.empty() ? "waiting" : function.subscription;
    subscription["samples"] = function.samples;
    subscription["overruns"] = function.overruns;
    subscription["error"] = function.error ? to_json(*function.error) : Json::null();
    subscription["restored"] = function.restored;
    subscription["lastValueAt"] = time_or_null(function.last_value_at);
    subscription["expectedMs"] =
        function.expected_every ? Json(milliseconds(*function.expected_every)) : Json::null();
    json["subscription"] = std::move(subscription);
  }
  json["createdAt"] = format_utc(row.created_at);
  json["updatedAt"] = format_utc(row.updated_at);
  return json;
}

Json diagnosis_view(const connect::Diagnosis& diagnosis, Json certificate) {
  Json json = json_object();
  json["success"] = diagnosis.success;
  Json stages = json_array();
  for (const auto& stage : diagnosis.stages) {
    Json item = json_object();
    item["stage"] = stage.stage;
    item["ok"] = stage.ok;
    item["durationMs"] = milliseconds(stage.duration);
    if (stage.error) item["error"] = to_json(*stage.error);
    stages.push_back(std::move(item));
  }
  json["stages"] = std::move(stages);
  json["certificate"] = std::move(certificate);
  return json;
}

Json event_view(const store::HistoryRow& row) {
  Json json = json_object();
  json["seq"] = row.seq;
  json["at"] = format_utc(row.at);
  json["from"] = text_or_null(row.from);
  json["to"] = row.to;
  json["epoch"] = row.epoch;
  json["cause"] = Json::null();
  if (!row.cause_code.empty()) {
    Json cause = json_object();
    cause["class"] = row.cause_class;
    cause["code"] = row.cause_code;
    cause["message"] = row.cause_message;
    json["cause"] = std::move(cause);
  }
  json["note"] = text_or_null(row.note);
  json["actor"] = text_or_null(row.actor);
  // Of the clock that runs while the hub's machine does: what durations are made of.
  json["monotonicNs"] = row.monotonic_ns != 0 ? Json(row.monotonic_ns) : Json::null();
  json["bootId"] = text_or_null(row.boot_id);
  return json;
}

Json alarm_view(const store::AlarmRow& row) {
  Json json = json_object();
  json["id"] = row.id;
  json["connectionId"] = text_or_null(row.connection_id);
  json["kind"] = row.kind;
  json["subject"] = text_or_null(row.subject);
  json["severity"] = row.severity;
  json["message"] = row.message;
  json["raisedAt"] = format_utc(row.raised_at);
  json["clearedAt"] = row.cleared_at ? Json(format_utc(*row.cleared_at)) : Json::null();
  return json;
}

Json batch_view(const Batch& batch, BigInt big) {
  Json json = json_object();
  Json list = json_array();
  if (batch.is_scans()) {
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) list.push_back(to_json(scan, sample, big));
    }
    json["samples"] = std::move(list);
  } else {
    for (const Record& record : batch.records()) list.push_back(record);
    json["records"] = std::move(list);
  }
  return json;
}

Json delivery_view(const orchestrate::DeliveryView& delivery) {
  const spool::QueueStats& queue = delivery.queue;
  Json json = json_object();
  json["accepted"] = queue.accepted;
  json["delivered"] = queue.delivered;
  json["deadLettered"] = queue.dead;
  json["dropped"] = queue.dropped;
  json["lost"] = queue.lost;
  json["waiting"] = queue.waiting;
  json["waitingBytes"] = queue.bytes;
  json["oldestAt"] = time_or_null(queue.oldest_at);
  json["deadLetters"] = queue.dead_letters;
  json["attempts"] = delivery.attempts;
  json["lastError"] = delivery.last_error ? to_json(*delivery.last_error) : Json::null();
  json["nextAttemptAt"] = time_or_null(delivery.next_attempt_at);
  return json;
}

namespace {

Json trigger_view(const orchestrate::TriggerView& trigger) {
  Json json = json_object();
  json["nodeId"] = trigger.node_id;
  if (!trigger.time_zone.empty()) {
    json["timeZone"] = trigger.time_zone;
    Json next = json_array();
    for (const UtcTime time : trigger.next_runs) next.push_back(format_utc(time));
    json["nextRuns"] = std::move(next);
  }
  if (!trigger.path.empty()) {
    json["path"] = trigger.path;
    json["methods"] = strings(trigger.methods);
  }
  return json;
}

}  // namespace

Json pipeline_state(const orchestrate::PipelineView& pipeline) {
  Json json = json_object();
  json["status"] = pipeline.status;
  json["recordsIn"] = pipeline.records_in;
  json["recordsOut"] = pipeline.records_out;
  json["errors"] = pipeline.errors;
  json["dropped"] = pipeline.dropped;
  json["filtered"] = pipeline.filtered;
  json["held"] = pipeline.held;
  json["copied"] = pipeline.copied;
  json["handledErrors"] = pipeline.handled_errors;
  json["missedTicks"] = pipeline.missed_ticks;
  json["skipped"] = pipeline.skipped;
  json["durability"] = pipeline.durability;
  json["error"] = pipeline.error ? to_json(*pipeline.error) : Json::null();
  json["waitingReason"] = text_or_null(pipeline.waiting_reason);
  json["lastRunAt"] = time_or_null(pipeline.last_run_at);
  Json nodes = json_array();
  for (const auto& node : pipeline.nodes) {
    Json item = json_object();
    item["nodeId"] = node.node_id;
    item["recordsIn"] = node.records_in;
    item["recordsOut"] = node.records_out;
    item["errors"] = node.errors;
    item["filtered"] = node.filtered;
    item["dropped"] = node.dropped;
    item["held"] = node.held;
    item["lastError"] = node.last_error ? to_json(*node.last_error) : Json::null();
    item["lastErrorAt"] = time_or_null(node.last_error_at);
    item["lastFailedInput"] = node.last_failed_input;
    if (node.delivery) item["delivery"] = delivery_view(*node.delivery);
    nodes.push_back(std::move(item));
  }
  json["nodes"] = std::move(nodes);
  Json triggers = json_array();
  for (const auto& trigger : pipeline.triggers) triggers.push_back(trigger_view(trigger));
  json["triggers"] = std::move(triggers);
  return json;
}

Json pipeline_view(const orchestrate::PipelineView& pipeline) {
  const store::PipelineRow& row = pipeline.row;
  Json json = json_object();
  json["id"] = row.id;
  json["version"] = row.version;
  json["name"] = row.name;
  json["description"] = row.description;
  json["labels"] = object_or_empty(row.labels);
  json["enabled"] = row.enabled;
  add_document(json, object_or_empty(row.document));
  json["draft"] = Json::null();
  if (pipeline.draft) {
    Json draft = json_object();
    draft["version"] = pipeline.draft->version;
    draft["baseVersion"] = pipeline.draft->base_version;
    draft["actor"] = text_or_null(pipeline.draft->actor);
    draft["updatedAt"] = format_utc(pipeline.draft->at);
    json["draft"] = std::move(draft);
  }
  json["createdAt"] = format_utc(row.created_at);
  json["updatedAt"] = format_utc(row.updated_at);
  json["state"] = pipeline_state(pipeline);
  return json;
}

Json dead_letter_view(const spool::DeadLetter& letter) {
  Json json = json_object();
  json["id"] = letter.id;
  json["pipelineId"] = letter.queue.pipeline;
  json["nodeId"] = letter.queue.node;
  json["acceptedAt"] = format_utc(letter.accepted_at);
  json["deadAt"] = format_utc(letter.dead_at);
  json["attempts"] = letter.attempts;
  json["reason"] = to_json(letter.reason);
  auto payload = parse_json(letter.payload);
  json["payload"] = payload ? std::move(*payload) : Json(letter.payload);
  return json;
}

Json run_view(const store::RunRow& run) {
  Json json = json_object();
  json["id"] = run.id;
  json["pipelineId"] = run.pipeline_id;
  json["status"] = run.status;
  json["trigger"] = run.trigger;
  json["startedAt"] = format_utc(run.started_at);
  json["endedAt"] = time_or_null(run.ended_at);
  json["recordsIn"] = run.records_in;
  json["recordsOut"] = run.records_out;
  json["errors"] = run.errors;
  json["inputKept"] = run.input_kept;
  json["detail"] = run.detail;
  return json;
}

Json field_errors_view(const std::vector<schema::FieldError>& errors) {
  Json list = json_array();
  for (const auto& error : errors) {
    Json item = json_object();
    item["pointer"] = error.pointer;
    item["code"] = error.code;
    item["message"] = error.message;
    list.push_back(std::move(item));
  }
  return list;
}

Json draft_view(const orchestrate::DraftView& draft) {
  Json json = json_object();
  json["pipelineId"] = draft.row.pipeline_id;
  json["version"] = draft.row.version;
  json["baseVersion"] = draft.row.base_version;
  json["actor"] = text_or_null(draft.row.actor);
  json["updatedAt"] = format_utc(draft.row.at);
  json["document"] = draft.row.document;
  json["problems"] = field_errors_view(draft.findings.problems);
  json["warnings"] = field_errors_view(draft.findings.warnings);
  return json;
}

Json pipeline_version_view(const store::PipelineVersionRow& row) {
  Json json = json_object();
  json["version"] = row.version;
  json["at"] = format_utc(row.at);
  json["actor"] = text_or_null(row.actor);
  Json document = object_or_empty(row.head);
  add_document(document, object_or_empty(row.document));
  json["document"] = std::move(document);
  return json;
}

Json connection_body(const store::ConnectionRow& row) {
  Json json = json_object();
  json["name"] = row.name;
  json["type"] = row.type;
  json["description"] = row.description;
  json["labels"] = object_or_empty(row.labels);
  json["settings"] = object_or_empty(row.settings);
  json["autostart"] = row.autostart;
  json["reconnect"] = object_or_empty(row.reconnect);
  return json;
}

Json function_body(const store::FunctionRow& row) {
  Json json = json_object();
  json["name"] = row.name;
  json["type"] = row.type;
  json["description"] = row.description;
  json["settings"] = object_or_empty(row.settings);
  json["enabled"] = row.enabled;
  if (row.idempotent) json["idempotent"] = *row.idempotent;
  if (row.expect_ms != 0) json["freshness"] = freshness_body(row);
  return json;
}

Json pipeline_body(const store::PipelineRow& row) {
  Json json = json_object();
  json["name"] = row.name;
  json["description"] = row.description;
  json["labels"] = object_or_empty(row.labels);
  json["enabled"] = row.enabled;
  add_document(json, object_or_empty(row.document));
  return json;
}

}  // namespace tributary::api
