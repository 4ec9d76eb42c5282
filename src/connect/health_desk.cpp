#include "connect/health_desk.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tributary::connect {

namespace {

using health::Ends;
using health::Figures;
using health::Rollup;

constexpr auto kLastHour = std::chrono::hours{1};

// Nothing is said about the future.
UtcTime end_of(UtcTime from, UtcTime to, UtcTime now) {
  const UtcTime end = std::chrono::floor<std::chrono::milliseconds>(std::min(to, now));
  return std::max(from, end);
}

Result<std::int64_t> changes_in_last_hour(soci::session& sql, const Rollup& rollup,
                                          const std::string& id, UtcTime to) {
  auto before = rollup.tally_at(sql, id, to - kLastHour);
  if (!before) return fail(std::move(before.error()));
  auto after = rollup.tally_at(sql, id, to);
  if (!after) return fail(std::move(after.error()));
  return after->changes - before->changes;
}

Result<ConnectionHealth> read_health(soci::session& sql, const Rollup& rollup,
                                     const std::string& id, UtcTime from, UtcTime to,
                                     std::size_t buckets) {
  ConnectionHealth found;
  found.from = from;
  found.to = to;
  auto ends = rollup.ends(sql, id, from, to);
  if (!ends) return fail(std::move(ends.error()));
  found.figures = health::figures_of(*ends, from, to);
  // One more than is shown tells whether that is all.
  auto blocks = rollup.blocks(sql, id, from, to, kMaxTimelineBlocks + 1);
  if (!blocks) return fail(std::move(blocks.error()));
  found.timeline_complete = blocks->size() <= kMaxTimelineBlocks;
  UtcTime shown_to = to;
  if (!found.timeline_complete) {
    shown_to = blocks->back().start();
    blocks->pop_back();
  }
  found.timeline = health::timeline_of(*blocks, from, shown_to);
  if (buckets > 0) {
    const bool complete = found.timeline_complete;
    const health::TallyAt tally_at = [&](UtcTime time) -> Result<health::Tally> {
      if (complete) return health::tally_in(*blocks, time);
      return rollup.tally_at(sql, id, time);
    };
    auto parts = health::buckets_of(tally_at, from, to, buckets);
    if (!parts) return fail(std::move(parts.error()));
    found.buckets = *std::move(parts);
  }
  auto changes = changes_in_last_hour(sql, rollup, id, to);
  if (!changes) return fail(std::move(changes.error()));
  found.changes_in_last_hour = *changes;
  auto steps = store::ClockSteps::range(sql, from, to, kMaxClockSteps);
  if (!steps) return fail(std::move(steps.error()));
  found.clock_steps = *std::move(steps);
  return found;
}

bool is_issue(const StateView& state) {
  switch (state.status) {
    case Status::kDisconnected:
    case Status::kReconnecting:
    case Status::kFailed:
      return true;
    case Status::kConnecting:
      return state.cause.has_value();
    case Status::kConnected:
      return state.degraded.has_value();
    default:
      return false;
  }
}

// What a connection is ranked by; the highest comes first.
std::int64_t score(const Figures& figures, HealthRank rank) {
  switch (rank) {
    case HealthRank::kFailures:
      return figures.failures;
    case HealthRank::kDowntime:
      return figures.down().count();
    case HealthRank::kFlapping:
      break;
  }
  // Those that flap now stand before all that do not.
  constexpr std::int64_t kFlapsNow = std::int64_t{1} << 40;
  return figures.changes + (figures.flapping_since ? kFlapsNow : 0);
}

struct Scored {
  std::int64_t score = 0;
  std::size_t index = 0;  // among the subjects, which are in order of id
};

bool stands_before(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.index < b.index;
}

// One question about all connections, on the store's reader.
class SystemReader {
 public:
  SystemReader(soci::session& sql, const Rollup& rollup, std::vector<HealthSubject> subjects,
               const SystemHealthQuery& query)
      : sql_(sql), rollup_(rollup), subjects_(std::move(subjects)), query_(query) {}

  Result<void> read(SystemHealth& into) {
    TRIBUTARY_TRY(count(into));
    const auto by = [&](HealthRank rank) {
      return top(rank, [](const Scored& item) { return item.score > 0; }, kTopRanked);
    };
    TRIBUTARY_TRY(show(by(HealthRank::kFailures), into.most_failures));
    TRIBUTARY_TRY(show(by(HealthRank::kDowntime), into.most_downtime));
    const auto flaps = [&](const Scored& item) {
      return figures_[item.index].flapping_since.has_value();
    };
    TRIBUTARY_TRY(show(top(HealthRank::kFlapping, flaps, kMaxFlapping), into.flapping));
    TRIBUTARY_TRY(page(into));
    auto steps = store::ClockSteps::range(sql_, query_.from, query_.to, kMaxClockSteps);
    if (!steps) return fail(std::move(steps.error()));
    into.clock_steps = *std::move(steps);
    return {};
  }

 private:
  Result<void> count(SystemHealth& into) {
    std::vector<std::string> ids;
    ids.reserve(subjects_.size());
    for (const auto& subject : subjects_) ids.push_back(subject.id);
    auto all = rollup_.all_ends(sql_, ids, query_.from, query_.to);
    if (!all) return fail(std::move(all.error()));
    ends_ = *std::move(all);
    figures_.reserve(subjects_.size());
    for (const auto& subject : subjects_) {
      figures_.push_back(health::figures_of(ends_[subject.id], query_.from, query_.to));
      into.figures.add(figures_.back());
      ++into.totals[static_cast<std::size_t>(subject.status)];
    }
    // Without find_between() this would be the longest of a part only.
    into.figures.longest = {};
    into.connections = subjects_.size();
    return {};
  }

  template <typename Keep>
  std::vector<Scored> top(HealthRank rank, Keep keep, std::size_t limit) const {
    std::vector<Scored> scored;
    scored.reserve(subjects_.size());
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
      const Scored item{score(figures_[i], rank), i};
      if (keep(item)) scored.push_back(item);
    }
    const auto end = scored.begin() + static_cast<std::ptrdiff_t>(std::min(limit, scored.size()));
    std::ranges::partial_sort(scored, end, stands_before);
    scored.erase(end, scored.end());
    return scored;
  }

  // A cursor is the score and the id of the last item: the page behind it does not depend on what
  // became of the ones before.
  Result<void> page(SystemHealth& into) {
    std::int64_t last_score = 0;
    std::string_view last_id;
    if (!query_.after.empty()) {
      const char* end = query_.after.data() + query_.after.size();
      const auto [rest, error] = std::from_chars(query_.after.data(), end, last_score);
      if (error != std::errc() || rest == end || *rest != ' ') {
        return fail(ErrorClass::kFunction, "invalid_cursor",
                    "Use the value of next from the page before, or no cursor at all.");
      }
      last_id = std::string_view(rest + 1, end);
    }
    const auto behind = [&](const Scored& item) {
      if (query_.after.empty() || item.score < last_score) return true;
      return item.score == last_score && subjects_[item.index].id > last_id;
    };
    auto items = top(query_.rank, behind, query_.limit + 1);
    if (items.size() > query_.limit) {
      items.pop_back();
      into.next = fmt::format("{} {}", items.back().score, subjects_[items.back().index].id);
    }
    return show(items, into.page);
  }

  Result<void> show(const std::vector<Scored>& items, std::vector<RankedHealth>& into) {
    for (const Scored& item : items) {
      const HealthSubject& subject = subjects_[item.index];
      Ends& ends = ends_[subject.id];
      TRIBUTARY_TRY(rollup_.find_between(sql_, subject.id, ends));
      RankedHealth ranked{subject, health::figures_of(ends, query_.from, query_.to)};
      auto changes = changes_in_last_hour(sql_, rollup_, subject.id, query_.to);
      if (!changes) return fail(std::move(changes.error()));
      ranked.changes_in_last_hour = *changes;
      into.push_back(std::move(ranked));
    }
    return {};
  }

  soci::session& sql_;
  const Rollup& rollup_;
  std::vector<HealthSubject> subjects_;
  const SystemHealthQuery& query_;
  Rollup::AllEnds ends_;
  std::vector<Figures> figures_;  // as subjects_
};

HealthSubject subject_of(const ConnectionEntry& entry) {
  return {entry.row.id, entry.row.name, entry.row.type, entry.state.status};
}

}  // namespace

HealthDesk::HealthDesk(Runtime& runtime, store::Store& store, std::shared_ptr<const Rollup> rollup,
                       const Entries& entries)
    : runtime_(runtime), store_(store), rollup_(std::move(rollup)), entries_(entries) {}

Task<Result<bool>> HealthDesk::knows(std::string id) {
  if (entries_.contains(id)) co_return true;
  auto read = store_.read<bool>([id](soci::session& sql) -> Result<bool> {
    auto newest = store::HistoryEnds::newest(sql, id);
    if (!newest) return fail(std::move(newest.error()));
    return newest->has_value();
  });
  co_return co_await std::move(read);
}

Task<Result<ConnectionHealth>> HealthDesk::health(std::string id, UtcTime from, UtcTime to,
                                                  std::size_t buckets) {
  auto known = co_await knows(id);
  if (!known) co_return fail(std::move(known.error()));
  if (!*known) {
    co_return fail(ErrorClass::kFunction, "not_found", "There is no such connection.");
  }
  // Times are shown in milliseconds: the parts shall add up to the window that is shown.
  from = std::chrono::floor<std::chrono::milliseconds>(from);
  const UtcTime end = end_of(from, to, runtime_.clock().utc_now());
  auto read = store_.read<ConnectionHealth>(
      [rollup = rollup_, id = std::move(id), from, end, buckets](soci::session& sql) {
        return read_health(sql, *rollup, id, from, end, buckets);
      });
  co_return co_await std::move(read);
}

Task<Result<SystemHealth>> HealthDesk::system(SystemHealthQuery query) {
  query.from = std::chrono::floor<std::chrono::milliseconds>(query.from);
  query.to = end_of(query.from, query.to, runtime_.clock().utc_now());
  SystemHealth found;
  found.from = query.from;
  found.to = query.to;
  std::vector<HealthSubject> subjects;
  for (const auto& [id, entry] : entries_) {
    if (query.wanted && !query.wanted(entry.row)) continue;
    subjects.push_back(subject_of(entry));
    if (is_issue(entry.state)) found.issues.push_back({subjects.back(), entry.state});
  }
  found.issue_count = found.issues.size();
  std::ranges::sort(found.issues, {}, [](const HealthIssue& issue) { return issue.state.since; });
  if (found.issues.size() > kMaxIssues) found.issues.resize(kMaxIssues);
  auto read = store_.read<SystemHealth>(
      [rollup = rollup_, subjects = std::move(subjects), query = std::move(query),
       found = std::move(found)](soci::session& sql) mutable -> Result<SystemHealth> {
        TRIBUTARY_TRY(SystemReader(sql, *rollup, std::move(subjects), query).read(found));
        return std::move(found);
      });
  co_return co_await std::move(read);
}

}  // namespace tributary::connect
