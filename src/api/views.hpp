// What the API shows of things: one function per schema of contracts/openapi.yaml.
#pragma once

#include "connect/manager.hpp"
#include "model/json.hpp"
#include "orchestrate/engine.hpp"
#include "sdk/registry.hpp"

namespace tributary::api {

Json time_or_null(const std::optional<UtcTime>& time);
Json text_or_null(const std::string& text);

Json connector_view(const sdk::Entry& entry);
Json connection_view(const connect::ConnectionView& connection);
Json function_view(const connect::FunctionView& function, const sdk::Registry& registry);
// `certificate`: what the server showed and was refused for, or null.
Json diagnosis_view(const connect::Diagnosis& diagnosis, Json certificate);
Json event_view(const store::HistoryRow& row);
Json alarm_view(const store::AlarmRow& row);
// {samples: […]} or {records: […]}.
Json batch_view(const Batch& batch, BigInt big);
Json pipeline_view(const orchestrate::PipelineView& pipeline);
Json pipeline_state(const orchestrate::PipelineView& pipeline);
Json dead_letter_view(const spool::DeadLetter& letter);
Json run_view(const store::RunRow& run);
Json draft_view(const orchestrate::DraftView& draft);
// [{pointer, code, message}]
Json field_errors_view(const std::vector<schema::FieldError>& errors);
// {version, at, actor, document}; the document is what would be posted, without `enabled`.
Json pipeline_version_view(const store::PipelineVersionRow& row);

// What a client would have to send to get this: the starting point of PUT, which replaces all of
// it.
Json connection_body(const store::ConnectionRow& row);
Json function_body(const store::FunctionRow& row);
Json pipeline_body(const store::PipelineRow& row);

// The kind of a function type ("modbus.read"); read when the connector is not part of this build.
sdk::FunctionKind kind_of(const sdk::Registry& registry, std::string_view function_type);

}  // namespace tributary::api
