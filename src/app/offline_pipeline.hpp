// Checks and tries pipelines of a file without a hub: nothing is connected, functions are known
// from the file, or guessed from their use.
#pragma once

#include "app/document.hpp"
#include "orchestrate/run/trial.hpp"
#include "sdk/registry.hpp"

namespace tributary::app {

// What is wrong with a pipeline, and what may surprise.
struct OfflineFindings {
  std::vector<schema::FieldError> problems;
  std::vector<schema::FieldError> warnings;
};

class OfflinePipelines {
 public:
  // `registry` says of what kind the file's functions are.
  OfflinePipelines(const Document& document, const sdk::Registry& registry);
  ~OfflinePipelines();

  OfflineFindings validate(const Json& pipeline) const;
  // As POST /pipelines/test. `options` as its body. Errors: the problems of document and options.
  std::expected<Json, std::vector<schema::FieldError>> test(const Json& pipeline,
                                                            const Json& options) const;

 private:
  class Port;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::app
