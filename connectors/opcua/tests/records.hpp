// Keeps the records of a subscription.
#pragma once

#include <algorithm>

#include "sdk/connector.hpp"

namespace tributary::connectors::opcua {

class Records final : public sdk::Sink {
 public:
  Task<Result<void>> deliver(Batch batch) override {
    for (const Record& each : batch.records()) all.push_back(each);
    co_return Result<void>{};
  }
  std::size_t count(std::string_view kind) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        all, [kind](const Record& each) { return get_string(each, "kind") == kind; }));
  }
  // The newest of this kind; null when there is none.
  Json last(std::string_view kind) const {
    Json found;
    for (const Record& each : all) {
      if (get_string(each, "kind") == kind) found = each;
    }
    return found;
  }
  std::vector<Record> all;
};

}  // namespace tributary::connectors::opcua
