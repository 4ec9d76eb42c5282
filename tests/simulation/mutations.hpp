// Wrong lifecycles, each with one defect that somebody might make one day: made around the product,
// to show that the simulation finds them.
#pragma once

#include <span>
#include <string_view>

#include "connect/seams.hpp"

namespace tributary::simulation {

struct Mutation {
  std::string_view name;
  std::string_view what;
  std::shared_ptr<const connect::Seams> (*make)();
};

std::span<const Mutation> mutations();
// Null when there is none of this name.
const Mutation* find_mutation(std::string_view name);

}  // namespace tributary::simulation
