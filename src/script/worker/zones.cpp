#include "script/worker/zones.hpp"

#include <date/tz.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <map>

namespace tributary::script {
namespace {

// About the years -10 000 to +12 000: beyond, seconds would not mean anything to anybody.
constexpr double kFarthestMs = 3.2e14;

std::chrono::seconds seconds_of(double ms) {
  const double bounded = std::isnan(ms) ? 0 : std::clamp(ms, -kFarthestMs, kFarthestMs);
  return std::chrono::seconds(static_cast<std::int64_t>(std::floor(bounded / 1000)));
}

using Zones = std::map<std::string, Zone, std::less<>>;

Zones& zones() {
  static Zones all;  // filled once, before the sandbox is closed
  return all;
}

}  // namespace

bool Zone::load() {
  try {
    for (const date::time_zone& zone : date::get_tzdb().zones) {
      try {
        // Asking reads the zone's file.
        zone.get_info(date::sys_seconds{});
        zones().emplace(zone.name(), Zone(&zone));
      } catch (const std::exception&) {
        continue;  // a file that is no zone: scripts do not see it
      }
    }
  } catch (const std::exception&) {
    return false;
  }
  return !zones().empty();
}

const Zone* Zone::find(std::string_view name) {
  const auto found = zones().find(name);
  return found == zones().end() ? nullptr : &found->second;
}

int Zone::offset_seconds(double utc_ms) const {
  return static_cast<int>(zone_->get_info(date::sys_seconds{seconds_of(utc_ms)}).offset.count());
}

std::string Zone::abbreviation(double utc_ms) const {
  return zone_->get_info(date::sys_seconds{seconds_of(utc_ms)}).abbrev;
}

double Zone::instant_ms(double wall_ms) const {
  const auto wall = seconds_of(wall_ms);
  const auto info = zone_->get_info(date::local_seconds{wall});
  if (info.result == date::local_info::nonexistent) {
    return static_cast<double>(info.first.end.time_since_epoch().count()) * 1000;
  }
  return wall_ms - static_cast<double>(info.first.offset.count()) * 1000;
}

}  // namespace tributary::script
