// From the outbox to the receiver.
#include <fmt/format.h>

#include "notices/notices_impl.hpp"
#include "notices/signature.hpp"
#include "runtime/log.hpp"

namespace tributary::notices {
namespace {

connect::AlarmKey alarm_of(const std::string& notice_id) {
  return {{}, "notice_failing", notice_id};
}

// These say that the message is wrong, not the moment (compare http::check_status).
bool refuses_the_message(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

}  // namespace

Result<std::optional<Secret>> Notices::Impl::open_secret(const Entry& entry,
                                                         std::string_view field) const {
  for (const store::SecretRow& row : entry.secrets) {
    if (row.field != field) continue;
    auto secret = vault.unseal(entry.row.id, row.field, row.version, row.sealed);
    if (secret) secret = secrets::resolve_reference(*secret);
    if (!secret) {
      secret.error().pointer = fmt::format("/secrets/{}", field);
      return fail(std::move(secret.error()));
    }
    return std::optional(std::move(*secret));
  }
  return std::nullopt;
}

Result<http::Request> Notices::Impl::make_request(const Entry& entry, const std::string& id,
                                                  const std::string& type,
                                                  const std::string& body) const {
  http::Request request;
  request.url = get_string(entry.row.document, "url");
  const Json& headers = get_member(entry.row.document, "headers");
  if (headers.is_object()) {
    for (const auto& header : headers.object_range())
      request.headers.emplace_back(header.key(), header.value().as<std::string>());
  }
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("X-Tributary-Notice", entry.row.id);
  request.headers.emplace_back("X-Tributary-Delivery", id);
  request.headers.emplace_back("X-Tributary-Event", type);
  auto authorization = open_secret(entry, kAuthorization);
  TRIBUTARY_TRY(authorization);
  if (*authorization)
    request.headers.emplace_back("Authorization", std::string((*authorization)->reveal()));
  auto secret = open_secret(entry, kSigningSecret);
  TRIBUTARY_TRY(secret);
  if (*secret) {
    request.headers.emplace_back("X-Tributary-Signature",
                                 signature(**secret, runtime.clock().utc_now(), body));
  }
  request.body = body;
  return request;
}

Task<Result<http::Answer>> Notices::Impl::attempt(std::string notice_id, std::string id,
                                                  std::string type, std::string body) {
  const auto entry = find(notice_id);
  if (!entry || closed) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
  auto request = make_request(*entry, id, type, body);
  TRIBUTARY_CO_TRY(request);
  const SteadyTime deadline = runtime.timers().now() + kSendLimit;
  co_return co_await client.send(std::move(*request), deadline);
}

void Notices::Impl::ended(const std::string& notice_id, const store::OutboxRow& row,
                          Lane::Ending ending) {
  const auto entry = find(notice_id);
  if (!entry) return;
  if (ending == Lane::Ending::kDelivered) {
    ++entry->row.delivered;
    ++totals.delivered;
    entry->row.last_delivery_at = runtime.clock().utc_now();
  } else {
    ++entry->row.failed;
    ++totals.failed;
    log::warning("notices", "A notice was given up.",
                 {{"notice", entry->row.name},
                  {"delivery", row.id},
                  {"reason", entry->last_error ? entry->last_error->message : "too old"}});
  }
  settle(entry->row, row.id);
}

void Notices::Impl::settle(const store::NoticeRow& notice, const std::string& outbox_id) {
  store.post_write(
      [notice, outbox_id](store::SessionRef sql) -> Result<void> {
        TRIBUTARY_TRY(store::Outbox::remove(sql, outbox_id));
        return store::Notices::set_counters(sql, notice);
      },
      [outbox_id](Result<void> written) {
        if (written) return;
        // It is sent again after a restart, under the same id.
        log::warning("notices", "A delivery could not be written down.",
                     {{"delivery", outbox_id}, {"reason", written.error().message}});
      });
}

void Notices::Impl::attempted(const std::string& notice_id, const std::optional<Error>& error,
                              int failures) {
  const auto entry = find(notice_id);
  if (!entry) return;
  entry->last_error = error;
  if (!error) {
    clear_alarm(notice_id);
  } else if (failures == kFailuresToAlarm) {
    manager.alarms().raise(
        alarm_of(notice_id), connect::Severity::kWarning,
        fmt::format("The notice \"{}\" cannot be delivered: {}", entry->row.name, error->message));
  }
}

void Notices::Impl::clear_alarm(const std::string& notice_id) {
  manager.alarms().clear(alarm_of(notice_id));
}

// The lane's hooks: weak, because what is on its way may outlive the front desk.
void Notices::Impl::install(std::shared_ptr<Entry> entry) {
  const std::string id = entry->row.id;
  Lane::Services services{runtime.control(), runtime.clock(), runtime.timers(), random, {}, {}, {}};
  services.send = [weak = weak_from_this(), id](store::OutboxRow row) -> Task<Result<void>> {
    const auto impl = weak.lock();
    if (!impl) co_return fail(ErrorClass::kCancelled, "cancelled", "Ended by the hub.");
    const auto message = parse_json(row.body);
    std::string type = message ? get_string(*message, "type") : std::string();
    auto sending = impl->attempt(id, row.id, std::move(type), std::move(row.body));
    const auto answer = co_await std::move(sending);
    TRIBUTARY_CO_TRY(answer);
    auto checked = http::check_status(*answer);
    if (!checked && refuses_the_message(answer->status)) checked.error().code = "message_refused";
    co_return checked;
  };
  services.ended = [weak = weak_from_this(), id](const store::OutboxRow& row, Lane::Ending ending) {
    if (const auto impl = weak.lock()) impl->ended(id, row, ending);
  };
  services.attempted = [weak = weak_from_this(), id](const std::optional<Error>& error,
                                                     int failures) {
    if (const auto impl = weak.lock()) impl->attempted(id, error, failures);
  };
  entry->lane = std::make_shared<Lane>(std::move(services));
  entry->lane->start(entry->row.enabled);
  entries[id] = std::move(entry);
}

}  // namespace tributary::notices
