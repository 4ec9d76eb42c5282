// The methods of alarms and conditions (OPC 10000-9, 5.5 to 5.8). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace tributary::connectors::opcua {

struct ConditionMethod {
  enum class Takes : std::uint8_t { kNothing, kEventAndComment, kDuration, kResponse };
  std::string_view operation;  // as a function says it: "timedShelve"
  std::uint32_t id = 0;        // of the method of the type; conditions need not show theirs
  Takes takes = Takes::kNothing;
  bool of_shelving = false;  // of the condition's ShelvingState
  std::string_view done{};   // member that the record has: "acknowledged"; empty: "operation"
};

// By its operation; "acknowledge" and "confirm" as well.
const ConditionMethod& condition_method(std::string_view operation);

}  // namespace tributary::connectors::opcua
