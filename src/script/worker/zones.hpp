// Time zones in a worker: all of them are read before the sandbox is closed.
#pragma once

#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace tributary::script {

class Zone {
 public:
  // Reads every zone of the system; false when there are none.
  static bool load();
  // Null when there is no such zone.
  static const Zone* find(std::string_view name);

  explicit Zone(const date::time_zone* zone) : zone_(zone) {}
  // At an instant, in milliseconds since 1970.
  int offset_seconds(double utc_ms) const;
  std::string abbreviation(double utc_ms) const;
  // The instant at which the zone's clocks show `wall_ms`. Shown twice: the first time. Never
  // shown: the instant at which they jump over it.
  double instant_ms(double wall_ms) const;

 private:
  const date::time_zone* zone_;
};

}  // namespace tributary::script
