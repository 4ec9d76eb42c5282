// What happens to a batch that comes while the one before it is still at work.
#pragma once

#include <cstdint>
#include <vector>

#include "model/json.hpp"
#include "schema/schema.hpp"

namespace tributary::orchestrate {

enum class OverlapPolicy : std::uint8_t {
  kQueue,     // it waits; when the queue is full its source is held back
  kSkip,      // it is refused and counted
  kRestart,   // the one at work is cancelled, what waits is refused, and it begins
  kParallel,  // it begins besides, up to a bound; the order of batches is given up
};

// Batches that wait while one is being worked on, when the pipeline does not say otherwise.
constexpr std::size_t kMaxWaitingBatches = 8;
constexpr std::size_t kMostWaitingBatches = 1000;
constexpr std::size_t kMostParallelBatches = 64;

struct Overlap {
  OverlapPolicy policy = OverlapPolicy::kQueue;
  std::size_t size = kMaxWaitingBatches;
  std::size_t parallel = 1;
};

// The schema of the member "overlap" of a pipeline.
extern const char* const kOverlapSchema;

// Of a body that the schema took.
Overlap read_overlap(const Json& body);

// What a pipeline has that not every policy goes with.
struct OverlapTraits {
  bool durable = false;
  bool has_function_trigger = false;
  std::vector<std::string> stateful;  // nodes that keep something between batches
};
std::vector<schema::FieldError> check_overlap(const Json& body, const OverlapTraits& traits);

}  // namespace tributary::orchestrate
