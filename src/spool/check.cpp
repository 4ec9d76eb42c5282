#include "spool/check.hpp"

#include <cstring>

namespace tributary::spool {

namespace {

constexpr std::size_t kHeadBytes = 100;
struct HeadPart {
  std::size_t at;
  std::string_view bytes;
};
using namespace std::string_view_literals;
// SQLite's file format, section 1.3: magic, page size (8192), WAL, payload fractions; schema
// format 4, auto-vacuum, UTF-8, incremental vacuum.
constexpr std::array kHeadParts = {
    HeadPart{0, "SQLite format 3\0"sv},         HeadPart{16, "\x20\x00"sv},
    HeadPart{18, "\x02\x02\x00\x40\x20\x20"sv}, HeadPart{44, "\x00\x00\x00\x04"sv},
    HeadPart{56, "\x00\x00\x00\x01"sv},         HeadPart{64, "\x00\x00\x00\x01"sv}};
static_assert(kPageBytes == 0x2000);

}  // namespace

std::int64_t ChunkHead::sum() const {
  std::array<char, 5 * sizeof(std::int64_t)> raw;
  std::size_t at = 0;
  for (const std::int64_t number : {queue, first, count, bytes, oldest_us}) {
    std::memcpy(raw.data() + at, &number, sizeof number);
    at += sizeof number;
  }
  return crc32c({raw.data(), raw.size()});
}

Result<void> check_head(const Paths& paths) {
  auto file = open_file(paths.database, false);
  if (!file) return fail(std::move(file.error()));
  std::array<char, kHeadBytes> head{};
  auto count = read_at(*file, head.data(), head.size(), 0);
  if (!count) return fail(std::move(count.error()));
  if (*count < kHeadBytes) return damaged("the file is cut off at its beginning");
  const std::string_view bytes(head.data(), head.size());
  for (const HeadPart& part : kHeadParts) {
    if (bytes.substr(part.at, part.bytes.size()) != part.bytes)
      return damaged("the head of the file is not that of a spool");
  }
  return {};
}

namespace {

class Check {
 public:
  explicit Check(Database& database) : database_(database) {}

  Result<Inventory> run() {
    TRIBUTARY_TRY(check_tables(database_));
    TRIBUTARY_TRY(read_queues());
    TRIBUTARY_TRY(check_structure());
    TRIBUTARY_TRY(read_chunks());
    TRIBUTARY_TRY(read_dead());
    TRIBUTARY_TRY(read_states());
    TRIBUTARY_TRY(compare());
    return std::move(inventory_);
  }

 private:
  // What was really found of a queue.
  struct Tally {
    std::int64_t waiting = 0;
    std::int64_t bytes = 0;
    std::int64_t dead_letters = 0;
    std::int64_t dead_bytes = 0;
    std::int64_t behind = 0;  // where the last chunk ended
    bool leftover = false;
  };

  Result<void> read_queues() {
    return each_row("select id, slot from queues", [&](Statement& row) -> Result<void> {
      auto slot = read_slot(row.bytes(1));
      if (!slot || slot->id != row.number(0)) return damaged("the numbers of a queue are wrong");
      inventory_.generation = std::max(inventory_.generation, slot->generation);
      if (slot->id != 0) {
        inventory_.slots.emplace(slot->id, std::move(*slot));
        return {};
      }
      inventory_.meta = std::move(*slot);
      if (inventory_.meta.head == kFormatVersion) return {};
      return fail(
          ErrorClass::kInternal, "spool_too_new",
          fmt::format("The spool was made by a later version (format {}, this one knows {}).",
                      inventory_.meta.head, kFormatVersion),
          "Start the version that made it, let it deliver what waits, then change back.");
    });
  }

  Result<void> check_structure() {
    if (inventory_.meta.generation == 0) return damaged("it does not say what version it has");
    return each_row("pragma quick_check(1)", [](Statement& row) -> Result<void> {
      if (row.bytes(0) == "ok") return {};
      return damaged(std::string(row.bytes(0)));
    });
  }

  Result<void> read_chunks() {
    return each_row(
        "select queue, first, count, bytes, oldest, sum, data from chunks order by 1, 2",
        [&](Statement& row) { return read_chunk_row(row); });
  }

  Result<void> read_chunk_row(Statement& row) {
    const ChunkHead head{row.number(0), row.number(1), row.number(2), row.number(3), row.number(4)};
    if (head.sum() != row.number(5)) return damaged("the head of a chunk is wrong");
    Tally& tally = tallies_[head.queue];
    if (head.first <= tally.behind) return damaged("two chunks overlap");
    tally.behind = head.last();
    const auto slot = inventory_.slots.find(head.queue);
    if (slot == inventory_.slots.end() || head.last() < slot->second.head) {
      tally.leftover = true;
      return {};
    }
    if (head.last() >= slot->second.next) return damaged("a chunk lies behind the end");
    const auto entries = read_chunk(row.bytes(6), head.queue, head.first, head.count);
    if (!entries) return damaged("an entry has a wrong checksum");
    std::int64_t bytes = 0;
    for (const EntryView& entry : *entries) {
      const auto size = static_cast<std::int64_t>(entry.payload.size());
      bytes += size;
      if (entry.seq < slot->second.head) continue;
      ++tally.waiting;
      tally.bytes += size;
    }
    if (bytes != head.bytes || entries->front().at_us != head.oldest_us)
      return damaged("the head of a chunk does not fit its entries");
    return {};
  }

  Result<void> read_dead() {
    return each_row("select pipeline, id, queue, seq, bytes, record from dead",
                    [&](Statement& row) -> Result<void> {
                      const auto dead = spool::read_dead(row.bytes(5));
                      const std::string id(row.bytes(1));
                      if (!dead || dead->letter.id != id ||
                          dead->letter.queue.pipeline != row.bytes(0) ||
                          dead->queue != row.number(2) || dead->seq != row.number(3) ||
                          static_cast<std::int64_t>(dead->letter.payload.size()) != row.number(4)) {
                        return damaged("a dead letter has a wrong checksum");
                      }
                      Tally& tally = tallies_[dead->queue];
                      ++tally.dead_letters;
                      tally.dead_bytes += row.number(4);
                      inventory_.last_dead_letter = std::max(inventory_.last_dead_letter, id);
                      return {};
                    });
  }

  Result<void> read_states() {
    return each_row("select pipeline, node, key, record from states",
                    [this](Statement& row) -> Result<void> {
                      const auto state = read_state(row.bytes(3));
                      if (!state || state->pipeline != row.bytes(0) ||
                          state->change.node != row.bytes(1) || state->change.key != row.bytes(2)) {
                        return damaged("what a node held has a wrong checksum");
                      }
                      inventory_.generation = std::max(inventory_.generation, state->generation);
                      return {};
                    });
  }

  Result<void> compare() {
    for (const auto& [id, slot] : inventory_.slots) {
      const Tally& tally = tallies_[id];
      if (tally.waiting != slot.waiting || tally.bytes != slot.bytes || slot.owed() != slot.waiting)
        return damaged(
            fmt::format("{} of {} entries of a queue are there", tally.waiting, slot.waiting));
      if (tally.dead_letters != slot.dead_letters || tally.dead_bytes != slot.dead_bytes)
        return damaged("dead letters are missing");
    }
    for (const auto& [id, tally] : tallies_) {
      if (tally.leftover) inventory_.leftovers.push_back(id);
    }
    return {};
  }

  template <typename Take>
  Result<void> each_row(const char* query, Take take) {
    auto statement = database_.prepare(query);
    if (!statement) return fail(std::move(statement.error()));
    for (;;) {
      auto row = statement->step();
      if (!row) return fail(std::move(row.error()));
      if (!*row) return {};
      TRIBUTARY_TRY(take(*statement));
    }
  }

  Database& database_;
  Inventory inventory_;
  std::map<std::int64_t, Tally> tallies_;
};

}  // namespace

Result<Inventory> take_inventory(Database& database) {
  return Check(database).run();
}

}  // namespace tributary::spool
