#include "spool/reading.hpp"

#include <set>

#include "spool/format.hpp"
#include "spool/rows.hpp"

namespace tributary::spool {

namespace {

// One answer about dead letters, beyond the first of them.
constexpr std::size_t kMaxLetterBytes = 32U << 20;
constexpr std::size_t kMaxLetters = 1000;
// Sorts behind every id.
constexpr std::string_view kBehindAll = "~";

// A statement that is left before its end must not keep its snapshot.
class Reset {
 public:
  explicit Reset(Statement& statement) : statement_(statement) {}
  ~Reset() { statement_.reset(); }

 private:
  Statement& statement_;
};

}  // namespace

Result<void> Reading::open(const std::string& path) {
  auto opened = Database::open(path, Database::Use::kRead);
  if (!opened) return fail(std::move(opened.error()));
  database_ = std::move(*opened);
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&entries_,
       "select queue, first, count, bytes, oldest, sum, data from chunks where queue = ?1 and "
       "first >= coalesce((select max(first) from chunks where queue = ?1 and first <= ?2), 0) "
       "order by first"},
      {&states_, "select record from states where pipeline = ? order by node, key"},
      {&dead_letters_,
       "select record from dead where pipeline = ? and id < ? order by id desc limit ?"},
      {&dead_letter_, "select record from dead where pipeline = ? and id = ?"},
      {&dead_ids_, "select id, queue, seq from dead where pipeline = ? order by queue, seq, id"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = database_->prepare(text);
    if (!prepared) return fail(std::move(prepared.error()));
    *statement = std::move(*prepared);
  }
  return {};
}

void Reading::close() {
  entries_ = {};
  states_ = {};
  dead_letters_ = {};
  dead_letter_ = {};
  dead_ids_ = {};
  database_.reset();
}

Result<std::vector<Entry>> Reading::entries(std::int64_t queue, std::int64_t from,
                                            std::size_t max_entries, std::size_t max_bytes) {
  std::vector<Entry> found;
  std::size_t bytes = 0;
  const Reset reset(entries_);
  entries_.start().bind(queue).bind(from);
  while (found.size() < max_entries) {
    auto row = entries_.step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) break;
    const auto head = read_chunk_head(entries_);
    if (!head) return damaged("the head of a chunk is wrong");
    if (head->last() < from) continue;
    const auto entries = read_chunk(entries_.bytes(6), queue, head->first, head->count);
    if (!entries) return damaged("an entry has a wrong checksum");
    for (const EntryView& entry : *entries) {
      if (entry.seq < from) continue;
      bytes += entry.payload.size();
      if (found.size() == max_entries || (bytes > max_bytes && !found.empty())) return found;
      found.push_back(to_entry(entry));
    }
  }
  return found;
}

Result<std::vector<StateChange>> Reading::states(const std::string& pipeline) {
  std::vector<StateChange> found;
  const Reset reset(states_);
  states_.start().bind(pipeline);
  for (;;) {
    auto row = states_.step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return found;
    auto record = read_state(states_.bytes(0));
    if (!record) return damaged("what a node held has a wrong checksum");
    found.push_back(std::move(record->change));
  }
}

Result<std::vector<DeadLetter>> Reading::dead_letters(const std::string& pipeline,
                                                      const std::string& before,
                                                      std::size_t limit) {
  std::vector<DeadLetter> found;
  std::size_t bytes = 0;
  const std::string_view end = before.empty() ? kBehindAll : std::string_view(before);
  const Reset reset(dead_letters_);
  dead_letters_.start().bind(pipeline).bind(end).bind(
      static_cast<std::int64_t>(std::min(limit, kMaxLetters)));
  for (;;) {
    auto row = dead_letters_.step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return found;
    auto record = read_dead(dead_letters_.bytes(0));
    if (!record) return damaged("a dead letter has a wrong checksum");
    bytes += record->letter.payload.size();
    if (bytes > kMaxLetterBytes && !found.empty()) return found;
    found.push_back(std::move(record->letter));
  }
}

Result<DeadLetter> Reading::dead_letter(const std::string& pipeline, const std::string& id) {
  const Reset reset(dead_letter_);
  auto row = dead_letter_.start().bind(pipeline).bind(id).step();
  if (!row) return fail(std::move(row.error()));
  if (!*row)
    return fail(ErrorClass::kFunction, "not_found", fmt::format("There is no dead letter {}.", id));
  auto record = read_dead(dead_letter_.bytes(0));
  if (!record) return damaged("a dead letter has a wrong checksum");
  return std::move(record->letter);
}

Result<std::vector<std::string>> Reading::in_order(const std::string& pipeline,
                                                   const std::vector<std::string>& ids) {
  const std::set<std::string_view> wanted(ids.begin(), ids.end());
  std::vector<std::string> found;
  const Reset reset(dead_ids_);
  dead_ids_.start().bind(pipeline);
  for (;;) {
    auto row = dead_ids_.step();
    if (!row) return fail(std::move(row.error()));
    if (!*row) return found;
    const std::string_view id = dead_ids_.bytes(0);
    if (wanted.empty() || wanted.contains(id)) found.emplace_back(id);
  }
}

}  // namespace tributary::spool
