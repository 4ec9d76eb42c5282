// What a destination promises about a record: the member "delivery" of a node.
#pragma once

#include "base/time.hpp"
#include "spool/spool.hpp"

namespace tributary::orchestrate {

struct Delivery {
  bool durable = false;
  int max_attempts = 0;  // 0: no limit
  Duration initial_delay{std::chrono::milliseconds{500}};
  Duration max_delay{std::chrono::seconds{30}};
  Duration give_up_after{std::chrono::hours{24}};
  // A write that may have reached the peer is sent again. Nobody wants that of a machine (edge case
  // 39).
  bool repeat_unknown = false;
  spool::Bounds bounds;
  std::size_t max_records = 500;  // of one call, when the function takes batches
  // Live records pass those that waited for long; otherwise nothing passes anything.
  bool live_first = false;
  std::int64_t backfill_per_second = 0;  // 0: as fast as the destination takes it
};

}  // namespace tributary::orchestrate
