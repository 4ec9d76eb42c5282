#include "spool/rows.hpp"

namespace tributary::spool {

Result<void> Rows::prepare(Database& database) {
  database_ = &database;
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&put_slot_, "insert or replace into queues(id, slot) values(?, ?)"},
      {&erase_slot_, "delete from queues where id = ?"},
      {&put_chunk_,
       "insert into chunks(queue, first, count, bytes, oldest, sum, data) values(?, ?, ?, ?, ?, ?, "
       "?)"},
      {&before_,
       "select queue, first, count, bytes, oldest, sum from chunks where queue = ? and first <= ? "
       "order by first desc limit 1"},
      {&after_,
       "select queue, first, count, bytes, oldest, sum from chunks where queue = ? and first >= ? "
       "order by first limit 1"},
      {&data_, "select data from chunks where queue = ? and first = ?"},
      {&erase_chunk_, "delete from chunks where queue = ? and first = ?"},
      {&erase_chunks_, "delete from chunks where queue = ? and first < ?"},
      {&erase_some_,
       "delete from chunks where queue = ?1 and first in (select first from chunks where queue = "
       "?1 and first < ?2 order by first limit ?3)"},
      {&put_dead_,
       "insert or ignore into dead(pipeline, id, queue, seq, bytes, record) values(?, ?, ?, ?, ?, "
       "?)"},
      {&dead_, "select record from dead where pipeline = ? and id = ?"},
      {&erase_dead_, "delete from dead where pipeline = ? and id = ?"},
      {&erase_dead_of_, "delete from dead where pipeline = ?"},
      {&put_state_,
       "insert or replace into states(pipeline, node, key, record) values(?, ?, ?, ?)"},
      {&state_, "select record from states where pipeline = ? and node = ? and key = ?"},
      {&erase_state_, "delete from states where pipeline = ? and node = ? and key = ?"},
      {&erase_states_of_, "delete from states where pipeline = ?"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = database.prepare(text);
    if (!prepared) return fail(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  return {};
}

Result<void> Rows::put_slot(const Slot& slot) {
  const std::string bytes = write_slot(slot);
  return put_slot_.start().bind(slot.id).blob(bytes).run();
}

Result<void> Rows::erase_slot(std::int64_t queue) {
  return erase_slot_.start().bind(queue).run();
}

Result<void> Rows::put_entries(std::int64_t queue, std::int64_t first,
                               const std::vector<NewEntry>& entries) {
  ChunkHead head{.queue = queue, .first = first};
  chunk_.clear();
  for (const NewEntry& entry : entries) {
    const auto view = [&] {
      return EntryView{queue, head.first + head.count, entry.at_us, entry.payload,
                       entry.released_us};
    };
    if (head.count > 0 && chunk_.size() + view().size() > kChunkBytes) {
      TRIBUTARY_TRY(put_chunk(head, chunk_));
      head = {.queue = queue, .first = head.last() + 1};
      chunk_.clear();
    }
    if (head.count == 0) head.oldest_us = entry.at_us;
    append_entry(chunk_, view());
    ++head.count;
    head.bytes += static_cast<std::int64_t>(entry.payload.size());
  }
  if (head.count > 0) TRIBUTARY_TRY(put_chunk(head, chunk_));
  if (chunk_.capacity() > 2 * kChunkBytes) chunk_ = {};
  return {};
}

Result<void> Rows::put_chunk(const ChunkHead& head, std::string_view data) {
  return put_chunk_.start()
      .bind(head.queue)
      .bind(head.first)
      .bind(head.count)
      .bind(head.bytes)
      .bind(head.oldest_us)
      .bind(head.sum())
      .blob(data)
      .run();
}

std::optional<ChunkHead> read_chunk_head(const Statement& row) {
  const ChunkHead head{row.number(0), row.number(1), row.number(2), row.number(3), row.number(4)};
  if (head.sum() != row.number(5)) return std::nullopt;
  return head;
}

Result<std::optional<ChunkHead>> Rows::find_chunk(Statement& statement, std::int64_t queue,
                                                  std::int64_t seq) {
  auto row = statement.start().bind(queue).bind(seq).step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto head = read_chunk_head(statement);
  statement.reset();
  if (!head) return damaged("the head of a chunk is wrong");
  return head;
}

Result<std::optional<ChunkHead>> Rows::chunk_before(std::int64_t queue, std::int64_t seq) {
  return find_chunk(before_, queue, seq);
}

Result<std::optional<ChunkHead>> Rows::chunk_after(std::int64_t queue, std::int64_t seq) {
  return find_chunk(after_, queue, seq);
}

Result<const std::vector<EntryView>*> Rows::entries(const ChunkHead& chunk) {
  if (kept_.queue == chunk.queue && kept_.first == chunk.first) return &kept_.entries;
  kept_.queue = 0;
  auto row = data_.start().bind(chunk.queue).bind(chunk.first).step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return damaged("a chunk is missing");
  kept_.bytes.assign(data_.bytes(0));
  data_.reset();
  auto read = read_chunk(kept_.bytes, chunk.queue, chunk.first, chunk.count);
  if (!read) return damaged("an entry has a wrong checksum");
  kept_.entries = *std::move(read);
  kept_.queue = chunk.queue;
  kept_.first = chunk.first;
  return &kept_.entries;
}

Result<void> Rows::erase_chunk(const ChunkHead& chunk) {
  if (kept_.queue == chunk.queue && kept_.first == chunk.first) kept_.queue = 0;
  return erase_chunk_.start().bind(chunk.queue).bind(chunk.first).run();
}

Result<void> Rows::erase_chunks(std::int64_t queue, std::int64_t first) {
  return erase_chunks_.start().bind(queue).bind(first).run();
}

Result<std::int64_t> Rows::erase_some_chunks(std::int64_t queue, std::int64_t first,
                                             std::int64_t limit) {
  auto done = erase_some_.start().bind(queue).bind(first).bind(limit).run();
  if (!done) return fail(std::move(done.error()));
  return database_->changes();
}

Result<void> Rows::put_dead(const DeadRecord& record) {
  const std::string bytes = write_dead(record);
  return put_dead_.start()
      .bind(record.letter.queue.pipeline)
      .bind(record.letter.id)
      .bind(record.queue)
      .bind(record.seq)
      .bind(static_cast<std::int64_t>(record.letter.payload.size()))
      .blob(bytes)
      .run();
}

Result<std::optional<DeadRecord>> Rows::dead(std::string_view pipeline, std::string_view id) {
  auto row = dead_.start().bind(pipeline).bind(id).step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto record = read_dead(dead_.bytes(0));
  dead_.reset();
  if (!record) return damaged("a dead letter has a wrong checksum");
  return record;
}

Result<void> Rows::erase_dead(std::string_view pipeline, std::string_view id) {
  return erase_dead_.start().bind(pipeline).bind(id).run();
}

Result<void> Rows::erase_dead_of(std::string_view pipeline) {
  return erase_dead_of_.start().bind(pipeline).run();
}

Result<void> Rows::put_state(const StateRecord& record) {
  const std::string bytes = write_state(record);
  return put_state_.start()
      .bind(record.pipeline)
      .bind(record.change.node)
      .bind(record.change.key)
      .blob(bytes)
      .run();
}

Result<std::optional<StateRecord>> Rows::state(const StateRecord& like) {
  auto row = state_.start().bind(like.pipeline).bind(like.change.node).bind(like.change.key).step();
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto record = read_state(state_.bytes(0));
  state_.reset();
  return record;
}

Result<void> Rows::erase_state(std::string_view pipeline, const StateChange& change) {
  return erase_state_.start().bind(pipeline).bind(change.node).bind(change.key).run();
}

Result<void> Rows::erase_states_of(std::string_view pipeline) {
  return erase_states_of_.start().bind(pipeline).run();
}

}  // namespace tributary::spool
