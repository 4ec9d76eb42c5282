// What the rows of history allow to be said about counters, breaker and waits: computed from them
// alone, by somebody who does not know the reducer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace tributary::simulation {

// One row of history as it stands on the disk.
struct Row {
  std::string connection;
  std::int64_t seq = 0;
  std::int64_t epoch = 0;
  std::string from;
  std::string to;
  std::string cause_class;
  std::string cause_code;
  std::string note;
  std::int64_t monotonic_ns = 0;
  std::string boot;

  friend bool operator==(const Row&, const Row&) = default;
};
std::string describe(const Row& row);

struct Patience {
  Duration initial{};
  Duration longest{};
  double multiplier = 2.0;
  int failures_to_open = 10;
  Duration cooldown{};
  Duration longest_cooldown{};
  bool automatic_reset = true;
  Duration stable{};
  Duration connect_timeout{};
  Duration request_timeout{};
};

class Oracle {
 public:
  explicit Oracle(Patience patience) : patience_(patience) {}

  // Empty when the row may follow the ones before; otherwise what is wrong with it.
  std::string take(const Row& row);
  // A person edited or restarted the connection while an attempt was under way: no row says so, and
  // counters may have gone back.
  void blur();
  // A row was late because of the disk: times between rows say less than usual.
  void forgive_times() { late_ = true; }

  const Patience& patience() const { return patience_; }
  // Disconnected although the failures in a row should have opened the breaker.
  bool should_be_failed() const;
  std::optional<Row> last() const { return last_; }
  // The longest that the connection may rest before it tries again by itself; nullopt: a person is
  // needed.
  std::optional<Duration> longest_rest() const;

 private:
  std::string check_link(const Row& row) const;
  std::string check_wait(const Row& row) const;
  std::string check_cause(const Row& row) const;
  void count(const Row& row);
  Duration since_last(const Row& row) const;
  void reset();

  Patience patience_;
  std::optional<Row> last_;
  int failures_ = 0;
  int steps_ = 0;     // waits since the counters went back
  bool sure_ = true;  // failures_ and steps_ are exact
  bool probing_ = false;
  bool late_ = false;
};

}  // namespace tributary::simulation
