// Which errors are told, so that a pipeline that fails a thousand times a second does not flood the
// one that looks after errors. Pure: time comes in with every call.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestrate/triggers/news.hpp"

namespace tributary::orchestrate {

// One error is a pipeline, a node and a code; it is told at most once in the debounce time, and the
// record says how many more there were.
class ErrorDigest {
 public:
  static constexpr std::size_t kMaxErrors = 10'000;  // different ones that are remembered

  explicit ErrorDigest(Duration debounce) : debounce_(debounce) {}

  struct Told {
    RunEnd end;  // without its failures
    NodeFailure failure;
    std::int64_t suppressed = 0;  // that were not told since the last time
  };

  void add(const RunEnd& end, const NodeFailure& failure);
  std::optional<SteadyTime> due() const;
  // The next one that is due; call it until there is none.
  std::optional<Told> take(SteadyTime now);

 private:
  struct Entry {
    std::optional<SteadyTime> last_told;
    std::optional<Told> pending;
  };
  void forget(SteadyTime now);

  Duration debounce_;
  std::map<std::string, Entry> entries_;
};

}  // namespace tributary::orchestrate
