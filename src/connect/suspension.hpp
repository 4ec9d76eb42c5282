// A suspension between what is stored and what is said.
#pragma once

#include "connect/status.hpp"
#include "store/rows.hpp"

namespace tributary::connect {

// Puts it into the row's columns; nullopt clears them.
void put_suspension(store::ConnectionRow& row, const std::optional<Suspension>& suspension);
// Of a row whose intent is "suspended".
Suspension suspension_of(const store::ConnectionRow& row);

}  // namespace tributary::connect
