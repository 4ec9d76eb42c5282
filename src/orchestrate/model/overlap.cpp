#include "orchestrate/model/overlap.hpp"

#include <fmt/format.h>

namespace tributary::orchestrate {

const char* const kOverlapSchema = R"({
  "type": "object",
  "properties": {
    "policy": {"type": "string", "enum": ["queue", "skip", "restart", "parallel"], "default": "queue"},
    "size": {"type": "integer", "minimum": 1, "maximum": 1000},
    "max": {"type": "integer", "minimum": 2, "maximum": 64}
  }
})";

Overlap read_overlap(const Json& body) {
  Overlap overlap;
  const Json& given = get_member(body, "overlap");
  if (!given.is_object()) return overlap;
  const std::string policy = get_string(given, "policy", "queue");
  if (policy == "skip") overlap.policy = OverlapPolicy::kSkip;
  if (policy == "restart") overlap.policy = OverlapPolicy::kRestart;
  if (policy == "parallel") {
    overlap.policy = OverlapPolicy::kParallel;
    overlap.parallel = static_cast<std::size_t>(get_int(given, "max", 2));
  }
  overlap.size = static_cast<std::size_t>(
      get_int(given, "size", static_cast<std::int64_t>(kMaxWaitingBatches)));
  return overlap;
}

std::vector<schema::FieldError> check_overlap(const Json& body, const OverlapTraits& traits) {
  std::vector<schema::FieldError> problems;
  const auto problem = [&problems](std::string_view below, std::string code, std::string message) {
    problems.push_back({"/overlap" + std::string(below), std::move(code), std::move(message)});
  };
  const Json& given = get_member(body, "overlap");
  if (!given.is_object()) return problems;
  const Overlap overlap = read_overlap(body);
  const bool waits =
      overlap.policy == OverlapPolicy::kQueue || overlap.policy == OverlapPolicy::kParallel;
  if (given.contains("size") && !waits)
    problem("/size", "invalid", "Only the policies queue and parallel let batches wait.");
  if (given.contains("max") && overlap.policy != OverlapPolicy::kParallel)
    problem("/max", "invalid", "Only the policy parallel has several batches at work.");
  if (overlap.policy == OverlapPolicy::kParallel && !given.contains("max"))
    problem("/max", "required", "Say how many batches may be at work at once.");
  if (overlap.policy == OverlapPolicy::kParallel && !traits.stateful.empty()) {
    problem("/policy", "invalid",
            fmt::format("'{}' keeps something from one batch to the next, so batches must pass it "
                        "one after the other.",
                        traits.stateful.front()));
  }
  if (!traits.durable) return problems;
  if (overlap.policy == OverlapPolicy::kParallel || overlap.policy == OverlapPolicy::kRestart) {
    problem("/policy", "invalid",
            "A pipeline with a durable destination keeps the order of its batches and loses none: "
            "its policy is queue or skip.");
  } else if (overlap.policy == OverlapPolicy::kSkip && traits.has_function_trigger) {
    problem("/policy", "invalid",
            "What a subscription brings is not thrown away in front of a durable destination: use "
            "the policy queue, which holds the source back.");
  }
  return problems;
}

}  // namespace tributary::orchestrate
