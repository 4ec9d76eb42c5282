#include "orchestrate/delivery/room_watch.hpp"

#include <fmt/format.h>

#include <array>

namespace tributary::orchestrate {
namespace {

constexpr std::array kMarks = {0.80, 0.90, 0.95};
constexpr double kHysteresis = 0.05;
constexpr int kLastLevel = kMarks.size();
constexpr std::int64_t kJudgedBytes = 100LL << 30;
constexpr std::int64_t kMebibyte = 1LL << 20;

connect::Severity severity_of(int level) {
  return level == kLastLevel ? connect::Severity::kError : connect::Severity::kWarning;
}

std::string_view what_then(spool::WhenFull policy) {
  switch (policy) {
    case spool::WhenFull::kDropOldest:
      return "When it is full, its oldest records are dropped.";
    case spool::WhenFull::kDropNewest:
      return "When it is full, new records are dropped.";
    case spool::WhenFull::kBlock:
      break;
  }
  return "When it is full, the pipeline's sources are held back.";
}

double share_of(const spool::Room& room) {
  const std::int64_t judged = std::min(room.disk_bytes, kJudgedBytes);
  if (judged <= 0) return 0;
  return 1 - static_cast<double>(room.free_bytes) / static_cast<double>(judged);
}

}  // namespace

int watermark(double share, int before) {
  int level = 0;
  for (const double mark : kMarks) level += share >= mark ? 1 : 0;
  while (before > level && share < kMarks[static_cast<std::size_t>(before - 1)] - kHysteresis)
    --before;
  return std::max(level, before);
}

int percent_of(int level) {
  return static_cast<int>(kMarks[static_cast<std::size_t>(level - 1)] * 100);
}

void RoomWatch::look_at(const std::vector<QueueRoom>& queues) {
  std::map<spool::QueueId, Known> seen;
  for (const QueueRoom& room : queues) {
    const auto before = queues_.find(room.queue);
    Known known = before == queues_.end() ? Known() : before->second;
    const double share =
        static_cast<double>(room.bytes) / static_cast<double>(room.bounds.max_bytes);
    known.level = watermark(share, known.level);
    if (known.level == 0) continue;
    known.alarm = {room.connection_id, "queue_filling",
                   fmt::format("{}/{}", room.queue.pipeline, room.queue.node)};
    connect::AlarmKey key = known.alarm;
    alarms_.raise(
        std::move(key), severity_of(known.level),
        fmt::format("The queue of node \"{}\" in pipeline \"{}\" was filled to {} % of its {} MiB. "
                    "{}",
                    room.queue.node, room.pipeline, percent_of(known.level),
                    (room.bounds.max_bytes + kMebibyte - 1) / kMebibyte,
                    what_then(room.bounds.when_full)));
    seen.emplace(room.queue, std::move(known));
  }
  for (const auto& [queue, known] : queues_) {
    const auto now = seen.find(queue);
    if (now == seen.end() || now->second.alarm != known.alarm) alarms_.clear(known.alarm);
  }
  queues_ = std::move(seen);
}

void RoomWatch::look_at(const Result<spool::Room>& room) {
  std::optional<Error> trouble = room ? room->trouble : room.error();
  const bool full = trouble && trouble->code == "disk_full";
  show_trouble("disk_full", full ? trouble : std::nullopt);
  show_trouble("spool_failed", full ? std::nullopt : trouble);
  if (!room) return;
  disk_ = watermark(share_of(*room), disk_);
  const connect::AlarmKey key{"", "disk_filling", ""};
  if (disk_ == 0) return alarms_.clear(key);
  alarms_.raise(
      key, severity_of(disk_),
      fmt::format("The disk of the data directory was filled to {} % of {} GiB. When it "
                  "is full, nothing more is taken.",
                  percent_of(disk_),
                  std::max<std::int64_t>(1, std::min(room->disk_bytes, kJudgedBytes) >> 30)));
}

void RoomWatch::show_trouble(const char* kind, const std::optional<Error>& trouble) {
  const connect::AlarmKey key{"", kind, ""};
  if (!trouble) return alarms_.clear(key);
  std::string text = trouble->message;
  if (!trouble->hint.empty()) text += " " + trouble->hint;
  alarms_.raise(key, connect::Severity::kError, std::move(text));
}

}  // namespace tributary::orchestrate
