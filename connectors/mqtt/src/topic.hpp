// Topic names and topic filters (MQTT 5.0, section 4.7; the same in 3.1.1). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tributary::connectors::mqtt {

// A topic to publish to. Error: kFunction "invalid_topic" with `pointer`.
Result<void> check_topic(std::string_view topic, std::string_view pointer);
// A filter to subscribe to; "$share/group/filter" is one. Error: kFunction "invalid_topic_filter"
// with `pointer`.
Result<void> check_filter(std::string_view filter, std::string_view pointer);
// Whether a message of this topic belongs to this filter. Both must be valid. A wildcard at the
// first level does not match topics that begin with $ (4.7.2). Of a shared subscription only the
// filter part counts.
bool matches(std::string_view filter, std::string_view topic);

}  // namespace tributary::connectors::mqtt
