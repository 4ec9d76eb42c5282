// What connectors whose functions have points do alike, whatever stands behind a point.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "model/batch.hpp"
#include "model/json.hpp"

namespace tributary::sdk {

// Values of a write that are known when the function is saved, by point name, are checked then, so
// that a wrong one is found at once; placeholders pass. `check` gets the place of the
// point in `names`. Errors: kFunction "unknown_point" and those of `check`, with a pointer below
// "/settings/values".
Result<void> check_values(
    const Json& values, const PointNames& names,
    const std::function<Result<void>(std::size_t point, const Json& value)>& check);

// A call that achieved nothing is an error; one that the framework polls answers every point, so
// that each has its own.
Result<Batch> answer_of(Scan scan, bool polled);

}  // namespace tributary::sdk
