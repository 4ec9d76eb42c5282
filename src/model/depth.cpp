#include "model/depth.hpp"

namespace tributary {
namespace {

constexpr int kRoomAround = 8;

bool is_within(const Json& json, int levels_left) {
  if (!json.is_object() && !json.is_array()) return true;
  if (levels_left == 0) return false;
  if (json.is_array()) {
    for (const Json& child : json.array_range()) {
      if (!is_within(child, levels_left - 1)) return false;
    }
    return true;
  }
  for (const auto& member : json.object_range()) {
    if (!is_within(member.value(), levels_left - 1)) return false;
  }
  return true;
}

}  // namespace

bool fits_into_record(const Json& payload) {
  return is_within(payload, kMaxJsonDepth - kRoomAround);
}

}  // namespace tributary
