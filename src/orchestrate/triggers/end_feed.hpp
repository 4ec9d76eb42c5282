// What a runner tells of its runs, on its way to the front desk: at most one message of each kind
// is under way, and what comes meanwhile is added to it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "orchestrate/run/runner.hpp"
#include "orchestrate/triggers/news.hpp"

namespace tributary::orchestrate {

class EndFeed {
 public:
  EndInterest interest;

  // Any thread. True: somebody must come and take.
  bool add(RunEnd end);
  struct Taken {
    std::optional<RunEnd> succeeded;
    std::optional<RunEnd> failed;  // or cancelled
  };
  Taken take();

 private:
  std::mutex mutex_;
  Taken waiting_;
  bool called_ = false;
};

}  // namespace tributary::orchestrate
