#include "connect/health/rollup.hpp"

namespace tributary::connect::health {

namespace {

// Rows read at a time when a roll-up is caught up with.
constexpr std::size_t kCatchUpPage = 1000;

}  // namespace

Rollup::BlockPtr Rollup::written_tail(const std::string& connection_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(connection_id);
  return found == tails_.end() ? nullptr : found->second.written;
}

Rollup::BlockPtr Rollup::durable_tail(const std::string& connection_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(connection_id);
  return found == tails_.end() ? nullptr : found->second.durable;
}

Result<Rollup::BlockPtr> Rollup::load_tail(soci::session& sql,
                                           const std::string& connection_id) const {
  if (auto tail = written_tail(connection_id)) return tail;
  auto row = store::HealthBlocks::newest(sql, connection_id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return BlockPtr{};
  auto block = from_row(**row);
  if (!block) return fail(std::move(block.error()));
  return std::make_shared<const Block>(*std::move(block));
}

Result<void> Rollup::append(soci::session& sql, const std::vector<store::HistoryRow>& rows) {
  if (rows.empty()) return {};
  const std::string& id = rows.front().connection_id;
  auto loaded = load_tail(sql, id);
  if (!loaded) return fail(std::move(loaded.error()));
  BlockPtr tail = *std::move(loaded);
  const auto add = [&](const store::HistoryRow& row) -> Result<void> {
    Folded folded = fold(tail.get(), row);
    if (folded.closed) TRIBUTARY_TRY(store::HealthBlocks::put(sql, to_row(*folded.closed)));
    tail = std::make_shared<const Block>(std::move(folded.tail));
    return {};
  };
  // The rows are in the table already: whatever the roll-up lacks comes from there.
  const std::int64_t through = rows.back().seq;
  const std::int64_t expected = tail ? tail->through_seq() + 1 : 1;
  if (rows.front().seq == expected) {
    for (const auto& row : rows) TRIBUTARY_TRY(add(row));
  } else {
    std::int64_t after = expected - 1;
    while (after < through) {
      auto page = store::HistoryEnds::after(sql, id, after, kCatchUpPage);
      if (!page) return fail(std::move(page.error()));
      if (page->empty()) break;
      for (const auto& row : *page) TRIBUTARY_TRY(add(row));
      after = page->back().seq;
    }
  }
  if (!tail) return {};
  TRIBUTARY_TRY(store::HealthBlocks::put(sql, to_row(*tail)));
  const std::lock_guard lock(mutex_);
  tails_[id].written = tail;
  return {};
}

void Rollup::committed(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  const auto found = tails_.find(connection_id);
  if (found != tails_.end()) found->second.durable = found->second.written;
}

void Rollup::rolled_back(const std::string& connection_id) {
  const std::lock_guard lock(mutex_);
  tails_.erase(connection_id);
}

void Rollup::forget(const std::string& connection_id) {
  rolled_back(connection_id);
}

Result<std::optional<Block>> Rollup::before(soci::session& sql, const std::string& connection_id,
                                            UtcTime time) const {
  if (const auto tail = durable_tail(connection_id); tail && tail->start() < time) return *tail;
  auto row = store::HealthBlocks::before(sql, connection_id, time);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto block = from_row(**row);
  if (!block) return fail(std::move(block.error()));
  return std::optional<Block>(*std::move(block));
}

Result<Ends> Rollup::ends(soci::session& sql, const std::string& connection_id, UtcTime from,
                          UtcTime to) const {
  Ends ends;
  auto first = before(sql, connection_id, from);
  if (!first) return fail(std::move(first.error()));
  auto last = before(sql, connection_id, to);
  if (!last) return fail(std::move(last.error()));
  ends.first = *std::move(first);
  ends.last = *std::move(last);
  TRIBUTARY_TRY(find_between(sql, connection_id, ends));
  return ends;
}

Result<void> Rollup::find_between(soci::session& sql, const std::string& connection_id,
                                  Ends& ends) const {
  const std::int64_t after = ends.first ? ends.first->seq : 0;
  if (!ends.last || ends.last->seq == after) return {};
  auto between = store::HealthBlocks::between(sql, connection_id, after, ends.last->seq);
  if (!between) return fail(std::move(between.error()));
  ends.between = longest_of(between->longest_outage_us, between->longest_recovery_us);
  ends.next_start = between->first_start.value_or(ends.last->start());
  return {};
}

Result<Tally> Rollup::tally_at(soci::session& sql, const std::string& connection_id,
                               UtcTime time) const {
  auto block = before(sql, connection_id, time);
  if (!block) return fail(std::move(block.error()));
  return *block ? (*block)->at(time) : Tally{};
}

Result<std::vector<Block>> Rollup::blocks(soci::session& sql, const std::string& connection_id,
                                          UtcTime from, UtcTime to, std::size_t limit) const {
  auto first = store::HealthBlocks::before(sql, connection_id, from);
  if (!first) return fail(std::move(first.error()));
  const std::int64_t after = *first ? (*first)->seq : 0;
  auto rows = store::HealthBlocks::range(sql, connection_id, after, to, limit);
  if (!rows) return fail(std::move(rows.error()));
  if (*first) rows->insert(rows->begin(), **std::move(first));
  std::vector<Block> blocks;
  for (const auto& row : *rows) {
    auto block = from_row(row);
    if (!block) return fail(std::move(block.error()));
    blocks.push_back(*std::move(block));
  }
  if (blocks.size() > limit) blocks.resize(limit);
  return blocks;
}

Result<void> Rollup::read_all(soci::session& sql, UtcTime time, std::optional<Block> Ends::* into,
                              AllEnds& all) const {
  bool complete = true;
  for (auto& [id, ends] : all) {
    const auto tail = durable_tail(id);
    if (tail && tail->start() < time) {
      ends.*into = *tail;
    } else {
      complete = false;
    }
  }
  if (complete) return {};
  Result<void> decoded;
  TRIBUTARY_TRY(store::HealthBlocks::before_for_all(
      sql, time, [&](const std::string& id, const std::string& body) {
        const auto found = all.find(id);
        if (!decoded || found == all.end() || found->second.*into) return;
        auto block = from_body(body);
        if (block) {
          found->second.*into = *std::move(block);
        } else {
          decoded = fail(std::move(block.error()));
        }
      }));
  return decoded;
}

Result<Rollup::AllEnds> Rollup::all_ends(soci::session& sql, const std::vector<std::string>& ids,
                                         UtcTime from, UtcTime to) const {
  AllEnds all;
  all.reserve(ids.size());
  for (const auto& id : ids) all.try_emplace(id);
  TRIBUTARY_TRY(read_all(sql, from, &Ends::first, all));
  TRIBUTARY_TRY(read_all(sql, to, &Ends::last, all));
  return all;
}

}  // namespace tributary::connect::health
