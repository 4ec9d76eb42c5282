// What a client of live events may listen to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/problem.hpp"
#include "model/json.hpp"
#include "model/value.hpp"

namespace tributary::api {

struct Topic {
  enum class Kind : std::uint8_t { kConnections, kValues, kRuns, kPipelines, kAlarms };
  Kind kind = Kind::kConnections;
  std::string function_id;  // of values
  std::string pipeline_id;  // of runs; empty: all
  BigInt big = BigInt::kNumber;
};

// Errors: 400 "unknown_topic", "missing_function".
std::expected<Topic, Problem> make_topic(std::string_view topic, std::string_view function_id,
                                         std::string_view pipeline_id, std::string_view bigint);

// One message of a client: {"subscribe": 1, "topic": …} or {"unsubscribe": 1}.
struct StreamRequest {
  std::int64_t id = 0;
  std::optional<Topic> topic;  // nullopt: unsubscribe
};
// The problem of a refused request; `id` is filled in as far as it could be read.
std::expected<StreamRequest, Problem> parse_stream_request(std::string_view text, std::int64_t& id);

}  // namespace tributary::api
