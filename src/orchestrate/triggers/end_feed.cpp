#include "orchestrate/triggers/end_feed.hpp"

namespace tributary::orchestrate {

bool EndFeed::add(RunEnd end) {
  const std::lock_guard lock(mutex_);
  std::optional<RunEnd>& kind = end.succeeded() ? waiting_.succeeded : waiting_.failed;
  if (kind) {
    kind->merge(std::move(end));
  } else {
    kind = std::move(end);
  }
  return !std::exchange(called_, true);
}

EndFeed::Taken EndFeed::take() {
  const std::lock_guard lock(mutex_);
  called_ = false;
  return std::exchange(waiting_, Taken{});
}

}  // namespace tributary::orchestrate
