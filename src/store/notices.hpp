// Notices and their outbox: what is to be sent, until the receiver has it. Their secrets are rows
// of Secrets under the id of the notice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"

namespace soci {
class session;
}

namespace tributary::store {

struct NoticeRow {
  std::string id;
  std::int64_t version = 1;  // the ETag
  std::string name;          // unique
  bool enabled = true;
  Json document;  // url, filter, forMs, debounceMs, headers
  UtcTime created_at;
  UtcTime updated_at;
  // Counters of its deliveries; they are no edit, so the version stays.
  std::int64_t delivered = 0;
  std::int64_t failed = 0;   // given up
  std::int64_t dropped = 0;  // made room for newer ones
  std::optional<UtcTime> last_delivery_at;
};

// One message that was not delivered yet. Never changed: inserted, then deleted.
struct OutboxRow {
  std::string id;  // made of the time; the same in every attempt
  std::string notice_id;
  std::string body;  // JSON text, as it is signed and sent
  UtcTime created_at;
};

struct Notices {
  static Result<void> insert(soci::session& sql, const NoticeRow& row);
  // Replaces the row, but not its counters; its version must be one above the stored one.
  static Result<void> update(soci::session& sql, const NoticeRow& row);
  // With what waits in its outbox and its secrets.
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<void> set_counters(soci::session& sql, const NoticeRow& row);
  static Result<std::vector<NoticeRow>> all(soci::session& sql);
};

struct Outbox {
  static Result<void> put(soci::session& sql, const OutboxRow& row);
  // Nothing happens when it is gone already.
  static Result<void> remove(soci::session& sql, const std::string& id);
  static Result<void> clear(soci::session& sql, const std::string& notice_id);
  // Oldest first.
  static Result<std::vector<OutboxRow>> all(soci::session& sql);
};

}  // namespace tributary::store
