#include "connect/health/block.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tributary::connect::health {

namespace {

constexpr std::int64_t kLossFlag = 8;
constexpr std::int64_t kFailureFlag = 16;
constexpr std::int64_t kCodes = 32;
// Stands for "none" where a time may be absent: no timeline reaches it.
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

// Whole microseconds of a monotonic time: the sum of differences is then the difference of the
// ends.
Micros whole(std::int64_t monotonic_ns) {
  return std::chrono::floor<Micros>(std::chrono::nanoseconds{monotonic_ns});
}

std::int64_t code_of(const Mark& mark) {
  return static_cast<std::int64_t>(mark.to) + (mark.loss ? kLossFlag : 0) +
         (mark.failure ? kFailureFlag : 0);
}

// Numbers with a blank between them: short, readable with any tool, and quick to parse.
class Writer {
 public:
  void put(std::int64_t number) { fmt::format_to(std::back_inserter(text_), "{} ", number); }
  void put(UtcTime time) { put(to_micros(time)); }
  void put(const std::optional<UtcTime>& time) { put(time ? to_micros(*time) : kNone); }
  std::string take() && {
    if (!text_.empty()) text_.pop_back();
    return std::move(text_);
  }

 private:
  std::string text_;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
  std::int64_t number() {
    std::int64_t value = 0;
    const auto [next, error] = std::from_chars(at_, end_, value);
    if (error != std::errc()) good_ = false;
    at_ = next == end_ ? end_ : next + 1;
    return value;
  }
  UtcTime time() { return from_micros(number()); }
  std::optional<UtcTime> maybe_time() {
    const std::int64_t value = number();
    if (value == kNone) return std::nullopt;
    return from_micros(value);
  }
  bool more() const { return good_ && at_ != end_; }
  bool good() const { return good_; }

 private:
  const char* at_;
  const char* end_;
  bool good_ = true;
};

void write_tally(Writer& writer, const Tally& tally) {
  writer.put(tally.at);
  writer.put(static_cast<std::int64_t>(tally.status));
  writer.put(tally.since);
  for (const Micros spent : tally.spent) writer.put(spent.count());
  writer.put(tally.changes);
  writer.put(tally.failures);
  writer.put(tally.recoveries);
  writer.put(tally.recovery_time.count());
  writer.put(tally.lost);
  writer.put(tally.flapping.since());
  writer.put(static_cast<std::int64_t>(tally.flapping.losses().size()));
  for (const UtcTime loss : tally.flapping.losses()) writer.put(loss);
}

Status read_status(std::int64_t number) {
  return number >= 0 && number < static_cast<std::int64_t>(kStatuses) ? static_cast<Status>(number)
                                                                      : Status::kUnknown;
}

Tally read_tally(Reader& reader) {
  Tally tally;
  tally.at = reader.time();
  tally.status = read_status(reader.number());
  tally.since = reader.time();
  for (Micros& spent : tally.spent) spent = Micros{reader.number()};
  tally.changes = reader.number();
  tally.failures = reader.number();
  tally.recoveries = reader.number();
  tally.recovery_time = Micros{reader.number()};
  tally.lost = reader.maybe_time();
  const auto since = reader.maybe_time();
  const std::int64_t losses = reader.number();
  std::vector<UtcTime> times;
  for (std::int64_t i = 0; i < losses && reader.good(); ++i) times.push_back(reader.time());
  tally.flapping = Flapping::restore(std::move(times), since);
  return tally;
}

std::int64_t stored(const std::optional<Micros>& length) {
  return length ? length->count() : store::kNoLength;
}

}  // namespace

Longest longest_of(std::int64_t outage_us, std::int64_t recovery_us) {
  const auto length = [](std::int64_t count) {
    return count == store::kNoLength ? std::nullopt : std::optional(Micros{count});
  };
  return {length(outage_us), length(recovery_us)};
}

UtcTime place_of(const store::HistoryRow& row, const Place* before) {
  if (!before) return row.at;
  const bool same_boot = row.boot_id == before->boot_id && row.monotonic_ns != 0 &&
                         before->monotonic_ns != 0 && row.monotonic_ns >= before->monotonic_ns;
  if (same_boot) return before->at + (whole(row.monotonic_ns) - whole(before->monotonic_ns));
  return std::max(row.at, before->at);
}

void Block::carry_on(Tally& tally, UtcTime time, Longest& longest) const {
  auto next = marks.begin() + (tally.changes - base.changes);
  for (; next != marks.end() && next->at < time; ++next) tally.apply(*next, longest);
  tally.advance(time, longest);
}

void Block::finish(Tally& tally, UtcTime next_start, Longest& longest) const {
  for (auto next = marks.begin() + (tally.changes - base.changes); next != marks.end(); ++next)
    tally.apply(*next, longest);
  tally.advance(next_start, longest);
}

Tally Block::at(UtcTime time) const {
  Tally tally = base;
  Longest unused;
  carry_on(tally, time, unused);
  return tally;
}

Folded fold(const Block* tail, const store::HistoryRow& row) {
  const UtcTime at = place_of(row, tail ? &tail->last : nullptr);
  const Mark mark = mark_of(row, at);
  Folded folded;
  if (tail && tail->marks.size() < kMarksPerBlock) {
    folded.tail = *tail;
  } else {
    folded.tail.connection_id = row.connection_id;
    folded.tail.seq = row.seq;
    folded.tail.base.at = at;
    folded.tail.base.since = at;
  }
  if (tail && tail->marks.size() >= kMarksPerBlock) {
    folded.closed = *tail;
    folded.closed->longest = {};
    folded.tail.base = tail->base;
    tail->finish(folded.tail.base, at, folded.closed->longest);
  }
  folded.tail.marks.push_back(mark);
  folded.tail.last = {at, row.boot_id, row.monotonic_ns};
  Tally tally = folded.tail.base;
  folded.tail.longest = {};
  for (const Mark& kept : folded.tail.marks) tally.apply(kept, folded.tail.longest);
  return folded;
}

store::HealthBlockRow to_row(const Block& block) {
  store::HealthBlockRow row;
  row.connection_id = block.connection_id;
  row.start = block.start();
  row.seq = block.seq;
  row.through_seq = block.through_seq();
  row.boot_id = block.last.boot_id;
  row.monotonic_ns = block.last.monotonic_ns;
  row.longest_outage_us = stored(block.longest.outage);
  row.longest_recovery_us = stored(block.longest.recovery);
  Writer writer;
  writer.put(block.seq);
  write_tally(writer, block.base);
  UtcTime before = block.base.at;
  for (const Mark& mark : block.marks) {
    writer.put((mark.at - before).count() * kCodes + code_of(mark));
    before = mark.at;
  }
  row.body = std::move(writer).take();
  return row;
}

Result<Block> from_body(const std::string& body) {
  Reader reader(body);
  Block block;
  block.seq = reader.number();
  block.base = read_tally(reader);
  UtcTime at = block.base.at;
  while (reader.more()) {
    const std::int64_t number = reader.number();
    const std::int64_t code = number % kCodes;
    at += Micros{number / kCodes};
    block.marks.push_back(
        {at, read_status(code % kLossFlag), (code & kLossFlag) != 0, (code & kFailureFlag) != 0});
  }
  if (!reader.good() || block.marks.empty()) {
    return fail(ErrorClass::kInternal, "store_damaged", "A block of the health roll-up is broken.",
                "Restore the data directory from a backup.");
  }
  block.last.at = at;
  return block;
}

Result<Block> from_row(const store::HealthBlockRow& row) {
  auto block = from_body(row.body);
  if (!block) return block;
  block->connection_id = row.connection_id;
  block->longest = longest_of(row.longest_outage_us, row.longest_recovery_us);
  block->last.boot_id = row.boot_id;
  block->last.monotonic_ns = row.monotonic_ns;
  return block;
}

}  // namespace tributary::connect::health
