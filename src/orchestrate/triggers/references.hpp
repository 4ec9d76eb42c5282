// What the triggers of a pipeline say about other pipelines: whose ends they wait for, and which
// addresses they take. Pure: of the documents as they are stored.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/json.hpp"
#include "schema/schema.hpp"

namespace tributary::orchestrate {

// A pipeline as others see it.
struct PipelineDocument {
  std::string name;
  const Json* document = nullptr;  // with "nodes"
};
using PipelineDocuments = std::map<std::string, PipelineDocument>;  // by id

// The pipelines that a document names, in trigger.pipeline and trigger.error.
std::vector<std::string> named_pipelines(const Json& document);

// Pipelines that do not exist, circles of pipelines (they are named), and addresses of webhooks
// that another trigger has. `others`: all pipelines but this one; `id` is empty for a new one.
std::vector<schema::FieldError> check_against_others(const std::string& id, const std::string& name,
                                                     const Json& document,
                                                     const PipelineDocuments& others);

}  // namespace tributary::orchestrate
