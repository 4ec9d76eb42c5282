#include <cstdlib>

#include "orchestrate/nodes/node.hpp"
#include "runtime/log.hpp"

namespace tributary::orchestrate {

NodeCatalogue::NodeCatalogue() {
  for (const NodeType& type : {trigger_function_type(),
                               script_type(),
                               trigger_schedule_type(),
                               trigger_manual_type(),
                               trigger_connection_status_type(),
                               trigger_webhook_type(),
                               trigger_poll_type(),
                               trigger_pipeline_type(),
                               trigger_error_type(),
                               respond_type(),
                               set_type(),
                               condition_type(),
                               function_type(),
                               switch_type(),
                               merge_type(),
                               for_each_type(),
                               filter_type(),
                               deadband_type(),
                               aggregate_type(),
                               buffer_type(),
                               wait_type(),
                               deduplicate_type(),
                               enrich_type(),
                               template_type(),
                               parse_type(),
                               convert_type()}) {
    auto document = parse_json(type.settings_schema);
    auto schema = document ? schema::Schema::compile(*document)
                           : Result<schema::Schema>(fail(document.error()));
    if (!schema) {
      // Part of the program text: a defect, found by the first test that runs.
      log::error("orchestrate", schema.error().message, {{"node", std::string(type.type)}});
      std::abort();
    }
    entries_.push_back({type, std::move(*schema)});
  }
}

const NodeCatalogue::Entry* NodeCatalogue::find(std::string_view type) const {
  for (const Entry& entry : entries_) {
    if (entry.type.type == type) return &entry;
  }
  return nullptr;
}

}  // namespace tributary::orchestrate
