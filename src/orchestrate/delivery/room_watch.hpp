// Alarms about room that runs out: of the queues of durable destinations, and of the disk below
// them (edge case 28). On the control executor.
#pragma once

#include <map>
#include <string>

#include "connect/alarms.hpp"
#include "spool/spool.hpp"

namespace tributary::orchestrate {

// 0: there is room; 1, 2, 3: at or above 80, 90, 95 percent. A level that was reached is left only
// five points below it, so that what swings around a mark is one alarm. `share`: 0 to 1 and above.
int watermark(double share, int before);
// What such a level means in percent.
int percent_of(int level);

// What a queue may take, and what it has.
struct QueueRoom {
  spool::QueueId queue;
  std::string pipeline;  // its name
  std::string connection_id;
  std::int64_t bytes = 0;
  spool::Bounds bounds;
};

class RoomWatch {
 public:
  explicit RoomWatch(connect::Alarms& alarms) : alarms_(alarms) {}

  // Raises, renews and clears "queue_filling". Of queues that are not in the list any more the
  // alarm is cleared.
  void look_at(const std::vector<QueueRoom>& queues);
  // The same with "disk_filling", "disk_full" and "spool_failed". A disk is judged by its last
  // 100 GiB: 80 percent of a large one are no reason to wake anybody.
  void look_at(const Result<spool::Room>& room);

 private:
  struct Known {
    int level = 0;
    connect::AlarmKey alarm;
  };
  void show_trouble(const char* kind, const std::optional<Error>& trouble);

  connect::Alarms& alarms_;
  std::map<spool::QueueId, Known> queues_;
  int disk_ = 0;
};

}  // namespace tributary::orchestrate
