// The roll-up in the store: written with each row of history in the same transaction, read for
// windows. The newest block of each connection that had a row since the start is kept in memory as
// well (about 2 KiB a connection): most windows end in it.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "connect/health/figures.hpp"

namespace soci {
class session;
}

namespace tributary::connect::health {

class Rollup {
 public:
  // ---- on the store's writer ----
  // Adds rows of one connection that were just appended to history. What an earlier version of the
  // hub wrote without a roll-up is caught up with.
  Result<void> append(soci::session& sql, const std::vector<store::HistoryRow>& rows);
  // Whether the transaction of an append() became durable.
  void committed(const std::string& connection_id);
  void rolled_back(const std::string& connection_id);
  void forget(const std::string& connection_id);

  // ---- on the store's reader ----
  Result<Ends> ends(soci::session& sql, const std::string& connection_id, UtcTime from,
                    UtcTime to) const;
  Result<Tally> tally_at(soci::session& sql, const std::string& connection_id, UtcTime time) const;
  // The block before the window and those in it, at most `limit`; the first ones when there are
  // more.
  Result<std::vector<Block>> blocks(soci::session& sql, const std::string& connection_id,
                                    UtcTime from, UtcTime to, std::size_t limit) const;
  // As ends() for many connections, in two passes over all that exist. The longest of anything is
  // left out: find_between() adds it for those that are shown.
  using AllEnds = std::unordered_map<std::string, Ends>;
  Result<AllEnds> all_ends(soci::session& sql, const std::vector<std::string>& ids, UtcTime from,
                           UtcTime to) const;
  Result<void> find_between(soci::session& sql, const std::string& connection_id, Ends& ends) const;

 private:
  using BlockPtr = std::shared_ptr<const Block>;
  struct Tail {
    BlockPtr written;  // what the next row follows, perhaps not durable yet
    BlockPtr durable;
  };

  // Any thread.
  BlockPtr written_tail(const std::string& connection_id) const;
  BlockPtr durable_tail(const std::string& connection_id) const;
  Result<BlockPtr> load_tail(soci::session& sql, const std::string& connection_id) const;
  Result<std::optional<Block>> before(soci::session& sql, const std::string& connection_id,
                                      UtcTime time) const;
  Result<void> read_all(soci::session& sql, UtcTime time, std::optional<Block> Ends::* into,
                        AllEnds& all) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Tail> tails_;
};

}  // namespace tributary::connect::health
