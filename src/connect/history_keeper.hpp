// Retention of history: removes what is older than so many days, in small steps. The roll-up stays,
// so every figure stays the same (health/block.hpp).
#pragma once

#include <memory>
#include <string>

#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace tributary::connect {

// Of one step: one transaction on the store's writer.
inline constexpr std::size_t kTrimmedRowsPerStep = 500;
inline constexpr std::size_t kTrimmedConnectionsPerStep = 100;

// One step over the connections behind id `after`, deleted ones too. Each keeps its newest row
// before `before` and everything behind it; a deleted connection whose last row is older is
// forgotten. Answers where to go on; nullopt: all are done.
Result<std::optional<std::string>> trim_history(soci::session& sql, const std::string& after,
                                                UtcTime before);

// Lives on the control executor.
class HistoryKeeper : public std::enable_shared_from_this<HistoryKeeper> {
 public:
  HistoryKeeper(Runtime& runtime, store::Store& store, int days);
  // Works until it is dropped.
  void start();

 private:
  void arm(Duration wait);
  void step();
  void finish_sweep();
  UtcTime cut_off() const;

  Runtime& runtime_;
  store::Store& store_;
  const int days_;
  const UtcTime first_utc_;
  const SteadyTime first_steady_;
  std::string after_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tributary::connect
