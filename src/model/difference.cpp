#include "model/difference.hpp"

#include <string>

namespace tributary {
namespace {

void add(Json& list, const std::string& pointer, const Json* from, const Json* to) {
  Json change = json_object();
  change.insert_or_assign("pointer", pointer);
  if (from != nullptr) change.insert_or_assign("from", *from);
  if (to != nullptr) change.insert_or_assign("to", *to);
  list.push_back(std::move(change));
}

void compare(Json& list, const std::string& pointer, const Json& before, const Json& after) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) {
    for (const auto& member : after.object_range()) {
      const std::string below = pointer + "/" + escape_pointer(member.key());
      if (before.contains(member.key())) {
        compare(list, below, before.at(member.key()), member.value());
      } else {
        add(list, below, nullptr, &member.value());
      }
    }
    for (const auto& member : before.object_range()) {
      if (!after.contains(member.key()))
        add(list, pointer + "/" + escape_pointer(member.key()), &member.value(), nullptr);
    }
    return;
  }
  if (before.is_array() && after.is_array() && before.size() == after.size()) {
    for (std::size_t i = 0; i < after.size(); ++i)
      compare(list, pointer + "/" + std::to_string(i), before[i], after[i]);
    return;
  }
  add(list, pointer, &before, &after);
}

}  // namespace

Json differences(const Json& before, const Json& after) {
  Json list = json_array();
  compare(list, "", before, after);
  return list;
}

}  // namespace tributary
