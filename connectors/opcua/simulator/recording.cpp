#include "connectors/opcua/simulator/recording.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace tributary::connectors::opcua::simulator {
namespace {

constexpr UA_DateTime kEarliest = std::numeric_limits<UA_DateTime>::min();
constexpr UA_DateTime kLatest = std::numeric_limits<UA_DateTime>::max();

// How a value came about, in the lower bits of its status (OPC 10000-11, 6.4.3).
constexpr UA_StatusCode kCalculated = 0x0401;
constexpr UA_StatusCode kInterpolated = 0x0402;
constexpr UA_StatusCode kPartial = 0x0404;

double seconds(UA_DateTime time) {
  return static_cast<double>(time) / static_cast<double>(UA_DATETIME_SEC);
}

}  // namespace

std::string Cursor::text() const {
  std::string text(2 * sizeof next + 1, '\0');
  std::memcpy(text.data(), &next, sizeof next);
  std::memcpy(text.data() + sizeof next, &finish, sizeof finish);
  text.back() = static_cast<char>((backwards ? 1 : 0) | (with_finish ? 2 : 0) |
                                  (lacks_first_bound ? 4 : 0) | (lacks_last_bound ? 8 : 0));
  return text;
}

std::optional<Cursor> Cursor::parse(std::string_view text) {
  Cursor cursor;
  if (text.size() != cursor.text().size() || (text.back() & ~15) != 0) return std::nullopt;
  std::memcpy(&cursor.next, text.data(), sizeof cursor.next);
  std::memcpy(&cursor.finish, text.data() + sizeof cursor.next, sizeof cursor.finish);
  cursor.backwards = (text.back() & 1) != 0;
  cursor.with_finish = (text.back() & 2) != 0;
  cursor.lacks_first_bound = (text.back() & 4) != 0;
  cursor.lacks_last_bound = (text.back() & 8) != 0;
  return cursor;
}

Recording::Place Recording::first_from(UA_DateTime time) const {
  return std::ranges::lower_bound(entries_, time, {}, &Entry::time);
}

Recording::Place Recording::first_after(UA_DateTime time) const {
  return std::ranges::upper_bound(entries_, time, {}, &Entry::time);
}

void Recording::add(UA_DateTime time, double value) {
  const auto place = entries_.begin() + (first_from(time) - entries_.cbegin());
  if (place != entries_.end() && place->time == time) {
    place->value = value;
  } else {
    entries_.insert(place, {time, value});
  }
  if (entries_.size() > most_) entries_.pop_front();
}

std::optional<Cursor> Recording::begin(const RawRange& range) const {
  const bool has_start = range.start != 0;
  const bool has_end = range.end != 0;
  if (!has_start && !has_end) return std::nullopt;
  if (has_start != has_end && range.most == 0) return std::nullopt;
  Cursor cursor;
  cursor.backwards = !has_start || (has_end && range.start > range.end);
  cursor.next = has_start ? range.start : range.end;
  cursor.finish = has_start && has_end ? range.end : cursor.backwards ? kEarliest : kLatest;
  cursor.with_finish = range.start == range.end;
  if (!range.bounds) return cursor;
  // A bound is the value at the begin or before it, and the one at the finish or after it, as the
  // reader goes.
  const auto older = [this](UA_DateTime time) -> const Entry* {
    const auto after = first_after(time);
    return after == entries_.begin() ? nullptr : &*std::prev(after);
  };
  const auto newer = [this](UA_DateTime time) -> const Entry* {
    const auto from = first_from(time);
    return from == entries_.end() ? nullptr : &*from;
  };
  const Entry* const first = cursor.backwards ? newer(cursor.next) : older(cursor.next);
  if (first != nullptr) cursor.next = first->time;
  cursor.lacks_first_bound = first == nullptr;
  if (!has_start || !has_end) return cursor;
  const Entry* const last = cursor.backwards ? older(cursor.finish) : newer(cursor.finish);
  if (last != nullptr) cursor.finish = last->time;
  cursor.with_finish = last != nullptr;
  cursor.lacks_last_bound = last == nullptr;
  return cursor;
}

Page Recording::read(Cursor cursor, std::size_t most) const {
  Page page;
  if (std::exchange(cursor.lacks_first_bound, false))
    page.values.push_back({cursor.next, std::nullopt, UA_STATUSCODE_BADBOUNDNOTFOUND});
  const auto take = [&](const Entry& entry) {
    const bool beyond = cursor.backwards ? entry.time < cursor.finish : entry.time > cursor.finish;
    if (beyond || (entry.time == cursor.finish && !cursor.with_finish)) return false;
    cursor.next = entry.time;
    if (page.values.size() == most) {
      page.rest = cursor;
      return false;
    }
    page.values.push_back({entry.time, entry.value});
    return true;
  };
  if (cursor.backwards) {
    auto place = first_after(cursor.next);
    while (place != entries_.begin() && take(*std::prev(place))) --place;
  } else {
    for (auto place = first_from(cursor.next); place != entries_.end() && take(*place);) ++place;
  }
  if (page.rest || !cursor.lacks_last_bound) return page;
  if (page.values.size() < most) {
    page.values.push_back({cursor.finish, std::nullopt, UA_STATUSCODE_BADBOUNDNOTFOUND});
  } else {
    cursor.next = cursor.finish;
    page.rest = cursor;
  }
  return page;
}

RecordedValue Recording::at(UA_DateTime time) const {
  const auto after = first_from(time);
  if (after != entries_.end() && after->time == time) return {time, after->value};
  if (after == entries_.begin()) return {time, std::nullopt, UA_STATUSCODE_BADNODATA};
  const Entry& before = *std::prev(after);
  if (after == entries_.end())
    return {time, before.value, UA_STATUSCODE_UNCERTAINDATASUBNORMAL | kInterpolated};
  if (stepped_) return {time, before.value, kInterpolated};
  const double part = seconds(time - before.time) / seconds(after->time - before.time);
  return {time, before.value + part * (after->value - before.value), kInterpolated};
}

RecordedValue Recording::aggregate(Aggregate what, UA_DateTime start, UA_DateTime end) const {
  const bool backwards = start > end;
  const auto first = backwards ? first_after(end) : first_from(start);
  const auto last = backwards ? first_after(start) : first_from(end);
  RecordedValue made;
  switch (what) {
    case Aggregate::kInterpolative:
      return at(start);
    case Aggregate::kTimeAverage:
    case Aggregate::kTotal:
    case Aggregate::kDurationGood:
    case Aggregate::kPercentGood:
      made = weighed(what, std::min(start, end), std::max(start, end));
      break;
    case Aggregate::kCount:
      made = {start, static_cast<double>(last - first), kCalculated};
      break;
    default:
      if (first == last) return {start, std::nullopt, UA_STATUSCODE_BADNODATA};
      made = counted(what, first, last);
      break;
  }
  if (what != Aggregate::kStart && what != Aggregate::kEnd) made.time = start;
  return made;
}

RecordedValue Recording::counted(Aggregate what, Place begin, Place end) const {
  const auto [least, most] = std::minmax_element(
      begin, end, [](const Entry& a, const Entry& b) { return a.value < b.value; });
  const auto count = static_cast<double>(end - begin);
  const auto sum = [&](auto of) {
    return std::accumulate(begin, end, 0.0,
                           [&](double all, const Entry& each) { return all + of(each.value); });
  };
  const double mean = sum([](double value) { return value; }) / count;
  const Entry& last = *std::prev(end);
  switch (what) {
    case Aggregate::kMinimum:
      return {0, least->value, kCalculated};
    case Aggregate::kMaximum:
      return {0, most->value, kCalculated};
    case Aggregate::kRange:
      return {0, most->value - least->value, kCalculated};
    case Aggregate::kDelta:
      return {0, last.value - begin->value, kCalculated};
    case Aggregate::kStart:
      return {begin->time, begin->value};
    case Aggregate::kEnd:
      return {last.time, last.value};
    case Aggregate::kStandardDeviation: {
      const double squares = sum([mean](double value) { return (value - mean) * (value - mean); });
      return {0, count > 1 ? std::sqrt(squares / (count - 1)) : 0, kCalculated};
    }
    default:
      return {0, mean, kCalculated};
  }
}

// By how long each value was: of the part of the interval that was recorded.
RecordedValue Recording::weighed(Aggregate what, UA_DateTime from, UA_DateTime to) const {
  const bool measures_time = what == Aggregate::kDurationGood || what == Aggregate::kPercentGood;
  const UA_DateTime first = entries_.empty() ? to : std::max(from, entries_.front().time);
  const UA_DateTime last = entries_.empty() ? to : std::min(to, entries_.back().time);
  const double recorded = last > first ? seconds(last - first) : 0;
  if (what == Aggregate::kDurationGood) return {0, recorded * 1000, kCalculated};
  if (measures_time) return {0, 100 * recorded / seconds(to - from), kCalculated};
  if (recorded <= 0) return {0, std::nullopt, UA_STATUSCODE_BADNODATA};
  double area = 0;
  Entry left{first, *at(first).value};
  const auto add_until = [&](const Entry& right) {
    const double height = stepped_ ? left.value : (left.value + right.value) / 2;
    area += height * seconds(right.time - left.time);
    left = right;
  };
  for (auto place = first_from(first); place != entries_.end() && place->time < last; ++place)
    add_until(*place);
  add_until({last, *at(last).value});
  const bool whole = first == from && last == to;
  return {0, what == Aggregate::kTotal ? area : area / recorded,
          whole ? kCalculated : UA_STATUSCODE_UNCERTAINDATASUBNORMAL | kCalculated | kPartial};
}

}  // namespace tributary::connectors::opcua::simulator
