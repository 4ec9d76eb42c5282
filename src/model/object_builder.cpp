#include "model/object_builder.hpp"

#include <algorithm>

namespace tributary {
namespace {

// Up to so many a name is looked for among all those before it.
constexpr std::size_t kFewMembers = 24;
constexpr std::size_t kMaxReserved = 4096;

}  // namespace

ObjectBuilder::ObjectBuilder(std::size_t members) : few_(members <= kFewMembers) {
  if (few_) {
    json_.reserve(members);
  } else {
    members_.reserve(std::min(members, kMaxReserved));
  }
}

void ObjectBuilder::add(std::string_view name, Json value) {
  if (few_) {
    json_.try_emplace(name, std::move(value));
  } else if (names_.insert(name).second) {
    members_.emplace_back(name, std::move(value));
  }
}

Json ObjectBuilder::take() {
  if (few_) return std::move(json_);
  return Json(jsoncons::json_object_arg, std::make_move_iterator(members_.begin()),
              std::make_move_iterator(members_.end()));
}

}  // namespace tributary
