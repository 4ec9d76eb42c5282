// Windows as people choose them, from one local midnight to the next, on the days on which clocks
// change: a day has 23 hours, 25, 23.5 or 24.5, and the figures are those of UTC.
#include <date/tz.h>
#include <gtest/gtest.h>

#include <set>

#include "health_log.hpp"

namespace tributary::connect::health {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const date::sys_days kFirstDay = date::sys_days{date::year{2020} / 1 / 1};
const date::sys_days kEndDay = date::sys_days{date::year{2031} / 1 / 1};

// Connected for 100 minutes and Disconnected for 20, from 2020 to 2031: what any stretch of it
// holds is a matter of division.
constexpr Micros kPeriod = minutes{120};
constexpr Micros kUp = minutes{100};

std::vector<Block> eleven_years() {
  Log log;
  UtcTime at = kFirstDay - date::days{2};
  std::vector<store::HistoryRow> rows;
  for (bool up = true; at < kEndDay + date::days{2}; up = !up) {
    store::HistoryRow row;
    row.connection_id = "c";
    row.seq = std::ssize(rows) + 1;
    row.from = rows.empty() ? "" : rows.back().to;
    row.to = up ? "Connected" : "Disconnected";
    row.at = at;
    row.monotonic_ns = std::chrono::nanoseconds{at.time_since_epoch()}.count();
    row.boot_id = "boot";
    rows.push_back(row);
    at += up ? kUp : kPeriod - kUp;
  }
  return Log(std::move(rows)).blocks();
}

Micros connected_before(UtcTime time) {
  const Micros passed = time - UtcTime{kFirstDay - date::days{2}};
  return passed / kPeriod * kUp + std::min(passed % kPeriod, kUp);
}

// As a client sends it: the local midnight with its offset. Zones that change at midnight have days
// that begin at one.
std::string midnight(const date::time_zone& zone, date::local_days day) {
  const auto begin = zone.to_sys(day, date::choose::earliest);
  const auto offset = zone.get_info(begin).offset;
  const auto local = std::chrono::floor<seconds>(begin) + offset;
  const auto magnitude = std::chrono::abs(offset);
  return date::format("%FT%T", date::sys_seconds{local.time_since_epoch()}) +
         fmt::format("{}{:02}:{:02}", offset < seconds{0} ? '-' : '+',
                     std::chrono::duration_cast<hours>(magnitude).count(),
                     std::chrono::duration_cast<minutes>(magnitude).count() % 60);
}

TEST(HealthZones, edge_20_transition_days_of_every_zone_have_their_own_length_and_utc_figures) {
  const auto blocks = eleven_years();
  std::set<Micros> lengths;
  std::size_t days = 0;
  for (const auto& zone : date::get_tzdb().zones) {
    date::sys_seconds at = kFirstDay;
    while (true) {
      const auto info = zone.get_info(at);
      if (info.end >= kEndDay) break;
      at = info.end;
      const auto change = zone.get_info(at).offset - info.offset;
      // The local day in which the old offset ends.
      const auto day = date::floor<date::days>(
          date::local_seconds{(at - seconds{1} + info.offset).time_since_epoch()});
      const auto from = parse_utc(midnight(zone, day));
      const auto to = parse_utc(midnight(zone, day + date::days{1}));
      ASSERT_TRUE(from && to) << zone.name();
      const Figures figures = figures_of(ends_in(blocks, *from, *to), *from, *to);
      Micros sum{};
      for (const Micros part : figures.spent) sum += part;
      SCOPED_TRACE(zone.name() + date::format(" %F", day));
      ASSERT_EQ(sum, *to - *from);
      ASSERT_EQ(figures.in(Status::kConnected), connected_before(*to) - connected_before(*from));
      // A midnight that the change leaves out begins the next day, and this one is whole.
      const bool left_out = UtcTime{at} == *to && sum == hours{24};
      ASSERT_TRUE(left_out || sum == hours{24} - change) << sum.count();
      lengths.insert(sum);
      ++days;
    }
  }
  EXPECT_GT(days, 1000U);
  EXPECT_TRUE(lengths.contains(hours{23}) && lengths.contains(hours{25}));
  EXPECT_TRUE(lengths.contains(minutes{23 * 60 + 30})) << "Lord Howe Island";
  RecordProperty("days", static_cast<int>(days));
}

}  // namespace
}  // namespace tributary::connect::health
