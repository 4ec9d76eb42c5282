// What a caller is told whose work ended with its pipeline.
#pragma once

#include "base/error.hpp"

namespace tributary::orchestrate {

// kCancelled "pipeline_stopped".
inline Error pipeline_stopped() {
  return {ErrorClass::kCancelled, "pipeline_stopped", "The pipeline was stopped.",
          "Enable the pipeline and try again."};
}

}  // namespace tributary::orchestrate
