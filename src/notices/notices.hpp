// The front desk of notices: who is told of which change of status and of which alarm, and what
// became of each message. On the control executor, like the manager.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/manager.hpp"
#include "http/client.hpp"
#include "store/notices.hpp"

namespace tributary::notices {

using connect::Actor;
using connect::Outcome;

constexpr std::size_t kMaxNotices = 200;
// Messages that wait, of all notices together. Beyond it the oldest of the notice with the most of
// them makes room, and is counted.
constexpr std::size_t kMaxOutbox = 10'000;
// So many failures in a row raise the alarm "notice_failing".
constexpr int kFailuresToAlarm = 3;
constexpr Duration kSendLimit{std::chrono::seconds{15}};

struct NoticeView {
  store::NoticeRow row;
  std::vector<std::pair<std::string, connect::SecretView>> secrets;
  std::size_t pending = 0;
  std::optional<Error> last_error;  // of the last attempt; absent when it was delivered
};

// What came back when a message was sent by hand.
struct TestResult {
  std::optional<int> status;
  Duration duration{};
  std::string body;  // its beginning
  std::optional<Error> error;
};

struct Totals {
  std::int64_t delivered = 0, failed = 0, dropped = 0;  // since the hub started
  std::size_t pending = 0;
};

class Notices {
 public:
  Notices(Runtime& runtime, store::Store& store, const secrets::Vault& vault,
          connect::Manager& manager, http::Client& client);
  ~Notices();

  // Reads notices and outbox and begins to deliver. Blocking; before Manager::load, so that no
  // change is missed, and while nothing runs on the control executor.
  Result<void> load();
  // No attempt begins after this; what waits is delivered when the hub runs again.
  void stop();

  std::vector<NoticeView> notices() const;
  std::optional<NoticeView> notice(const std::string& id) const;
  // `body` as POST /notices. Errors: "name_taken", "too_many_notices".
  Task<Outcome<NoticeView>> create(Json body, Actor actor, bool dry_run);
  // `patch` is a JSON merge patch; `expected_version` 0 means any.
  Task<Outcome<NoticeView>> update(std::string id, Json patch, std::int64_t expected_version,
                                   Actor actor, bool dry_run);
  Task<Result<void>> remove(std::string id);
  // Sends a message of the type "test" now, past the outbox. A dry run checks the address only.
  Task<Result<TestResult>> test(std::string id, bool dry_run);

  Totals totals() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // what still runs when this goes holds a weak reference
};

}  // namespace tributary::notices
