// Rows of history as a hub writes them, for tests of the figures.
#pragma once

#include "base/random.hpp"
#include "connect/health/figures.hpp"

namespace tributary::connect::health {

const UtcTime kStart{std::chrono::seconds{1'800'000'000}};

inline UtcTime after_start(Duration by) {
  return kStart + std::chrono::floor<Micros>(by);
}

// A hub whose clocks behave, unless told otherwise. Times are since kStart.
class Log {
 public:
  Log() = default;
  explicit Log(std::vector<store::HistoryRow> rows) : rows_(std::move(rows)) {}
  Log& row(std::string_view to, Duration at, std::string note = {}) {
    store::HistoryRow row;
    row.connection_id = "c";
    row.seq = static_cast<std::int64_t>(rows_.size()) + 1;
    row.from = rows_.empty() ? "" : rows_.back().to;
    row.to = std::string(to);
    row.note = std::move(note);
    row.at = after_start(at) + utc_offset_;
    row.monotonic_ns = (at + std::chrono::seconds{100}).count();
    row.boot_id = boot_;
    rows_.push_back(row);
    return *this;
  }
  Log& step_clock(Micros by) {
    utc_offset_ += by;
    return *this;
  }
  Log& set_clock(UtcTime to, Duration at) {
    utc_offset_ = to - after_start(at);
    return *this;
  }
  Log& reboot(std::string boot) {
    boot_ = std::move(boot);
    return *this;
  }
  const std::vector<store::HistoryRow>& rows() const { return rows_; }

  // The roll-up of the rows, as it comes back from the store.
  std::vector<Block> blocks() const {
    std::vector<Block> blocks;
    for (const auto& row : rows_) {
      Folded folded = fold(blocks.empty() ? nullptr : &blocks.back(), row);
      if (folded.closed) blocks.back() = *folded.closed;
      if (blocks.empty() || folded.closed) {
        blocks.push_back(folded.tail);
      } else {
        blocks.back() = folded.tail;
      }
    }
    for (auto& block : blocks) block = *from_row(to_row(block));
    return blocks;
  }
  Figures over(Duration from, Duration to) const {
    const auto all = blocks();
    return figures_of(ends_in(all, after_start(from), after_start(to)), after_start(from),
                      after_start(to));
  }

 private:
  std::vector<store::HistoryRow> rows_;
  Micros utc_offset_{};
  std::string boot_ = "boot-1";
};

// Anything may happen: flapping, long quiet times, reboots, kills, a wall clock that is set by an
// hour, a day or back to 1970. Answers how long it lasted.
inline Duration write_random_history(Log& log, SeededRandom& random, std::size_t rows) {
  using std::chrono::hours;
  const auto upto = [&](std::uint64_t limit) { return random.next() % limit; };
  Duration at{};
  for (std::size_t i = 0; i < rows; ++i) {
    if (upto(12) == 0) {
      constexpr std::array<Micros, 4> kSteps{hours{1}, -hours{1}, hours{24}, -hours{24}};
      log.step_clock(kSteps[upto(4)]);
    }
    if (upto(60) == 0) log.set_clock(UtcTime{}, at);
    if (upto(60) == 0) log.set_clock(after_start(at), at);
    if (upto(15) == 0) log.reboot("boot-" + std::to_string(i));
    static constexpr std::array<std::string_view, 12> kStatus{
        "Connected",    "Disconnected", "Reconnecting", "Connected", "Disconnected", "Connected",
        "Reconnecting", "Failed",       "Connecting",   "Idle",      "Suspended",    "Unknown"};
    const std::string note = upto(10) == 0 ? "maintenance: restart" : "";
    log.row(kStatus[upto(kStatus.size())], at, note);
    constexpr std::array<std::uint64_t, 5> kLengths{1, 29'000'001, 31'000'000, 600'000'000,
                                                    40'000'000'000};
    at += Micros{static_cast<std::int64_t>(upto(kLengths[upto(5)] + 1))};
  }
  return at;
}

}  // namespace tributary::connect::health
