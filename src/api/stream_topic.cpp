#include "api/stream_topic.hpp"

namespace tributary::api {

std::expected<Topic, Problem> make_topic(std::string_view topic, std::string_view function_id,
                                         std::string_view pipeline_id, std::string_view bigint) {
  Topic made;
  made.function_id = function_id;
  made.pipeline_id = pipeline_id;
  made.big = bigint == "string" ? BigInt::kString : BigInt::kNumber;
  if (topic == "connections") {
    made.kind = Topic::Kind::kConnections;
  } else if (topic == "values") {
    made.kind = Topic::Kind::kValues;
    if (function_id.empty()) {
      return std::unexpected(
          Problem(400, "missing_function", "The topic values needs a functionId."));
    }
  } else if (topic == "runs") {
    made.kind = Topic::Kind::kRuns;
  } else if (topic == "pipelines") {
    made.kind = Topic::Kind::kPipelines;
  } else if (topic == "alarms") {
    made.kind = Topic::Kind::kAlarms;
  } else {
    return std::unexpected(Problem(
        400, "unknown_topic", "The topics are connections, values, runs, pipelines and alarms."));
  }
  return made;
}

std::expected<StreamRequest, Problem> parse_stream_request(std::string_view text,
                                                           std::int64_t& id) {
  auto json = parse_json(text);
  if (!json || !json->is_object()) {
    return std::unexpected(Problem(400, "invalid_json", "A message must be a JSON object."));
  }
  const bool subscribes = json->contains("subscribe");
  id = get_int(*json, subscribes ? "subscribe" : "unsubscribe", 0);
  if (id < 1) {
    id = 0;
    return std::unexpected(
        Problem(400, "invalid_id",
                "A message has a member subscribe or unsubscribe with a positive whole number."));
  }
  if (!subscribes) return StreamRequest{id, std::nullopt};
  auto topic = make_topic(get_string(*json, "topic"), get_string(*json, "functionId"),
                          get_string(*json, "pipelineId"), get_string(*json, "bigint"));
  if (!topic) return std::unexpected(std::move(topic.error()));
  return StreamRequest{id, std::move(*topic)};
}

}  // namespace tributary::api
