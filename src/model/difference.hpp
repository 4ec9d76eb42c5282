// What is different between two documents.
#pragma once

#include "model/json.hpp"

namespace tributary {

// [{"pointer", "from", "to"}], in the order of `after`, then what is gone. `from` or `to` is absent
// where there was nothing, or is nothing. Lists of one length are compared place by place; others
// are different as a whole, because nothing says which elements are the same.
Json differences(const Json& before, const Json& after);

}  // namespace tributary
