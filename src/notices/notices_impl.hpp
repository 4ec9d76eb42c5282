// The inside of the front desk. Everything on the control executor.
#pragma once

#include <map>

#include "connect/async_mutex.hpp"
#include "connect/change_digest.hpp"
#include "notices/lane.hpp"
#include "notices/notice.hpp"
#include "notices/notices.hpp"

namespace tributary::notices {

struct Notices::Impl : std::enable_shared_from_this<Notices::Impl> {
  // One notice with what is on its way to it.
  struct Entry {
    explicit Entry(store::NoticeRow row_)
        : row(std::move(row_)), rule(read_rule(row)), statuses(rule.digest), alarms(rule.digest) {}

    store::NoticeRow row;
    std::vector<store::SecretRow> secrets;
    Rule rule;
    connect::DigestSet<StatusNews> statuses;  // by connection
    connect::DigestSet<AlarmNews> alarms;     // by what makes an alarm the same
    std::unique_ptr<Timer> timer;             // for the next telling
    std::shared_ptr<Lane> lane;
    std::optional<Error> last_error;
  };

  Impl(Runtime& runtime, store::Store& store, const secrets::Vault& vault,
       connect::Manager& manager, http::Client& client);

  // ---- life (notices.cpp) ----
  Result<void> load();
  void stop();
  void install(std::shared_ptr<Entry> entry);

  // ---- what happens (telling.cpp) ----
  void on_state(const connect::StateChange& change);
  void on_alarm(const connect::AlarmRow& alarm);
  // Makes messages of what is due, and arms the timer for the rest.
  void tell(const std::shared_ptr<Entry>& entry);
  void enqueue(const std::string& notice_id, std::string id, const Json& message);
  void queued(store::OutboxRow row, const Result<void>& written);
  void make_room();

  // ---- delivery (delivery.cpp) ----
  Result<http::Request> make_request(const Entry& entry, const std::string& id,
                                     const std::string& type, const std::string& body) const;
  Result<std::optional<Secret>> open_secret(const Entry& entry, std::string_view field) const;
  Task<Result<http::Answer>> attempt(std::string notice_id, std::string id, std::string type,
                                     std::string body);
  void ended(const std::string& notice_id, const store::OutboxRow& row, Lane::Ending ending);
  void attempted(const std::string& notice_id, const std::optional<Error>& error, int failures);
  // Removes the message and writes the counters down, in one go.
  void settle(const store::NoticeRow& notice, const std::string& outbox_id);
  void clear_alarm(const std::string& notice_id);

  // ---- edits (notices.cpp) ----
  std::optional<Error> name_taken(const std::string& name, const std::string& except_id) const;
  NoticeView view(const Entry& entry) const;
  std::shared_ptr<Entry> find(const std::string& id) const;

  Runtime& runtime;
  store::Store& store;
  const secrets::Vault& vault;
  connect::Manager& manager;
  http::Client& client;
  SeededRandom random;
  connect::AsyncMutex mutations;
  std::map<std::string, std::shared_ptr<Entry>> entries;
  connect::Registration states;
  std::shared_ptr<void> alarms;
  std::size_t writing = 0;  // messages on their way into the store
  UtcTime last_created{};   // of a message: later ones sort behind
  Totals totals;
  bool closed = false;
};

}  // namespace tributary::notices
