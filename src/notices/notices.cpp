// Start, end and edits. The other members: telling.cpp, delivery.cpp.
#include "notices/notices.hpp"

#include <fmt/format.h>

#include "base/id.hpp"
#include "connect/named.hpp"
#include "notices/notices_impl.hpp"
#include "store/repositories.hpp"

namespace tributary::notices {

using connect::invalid;
using connect::refused;

namespace {

constexpr std::size_t kShownAnswer = 1024;

Error no_such_notice() {
  return Error(ErrorClass::kFunction, "not_found", "This notice does not exist.");
}

Json without_secrets(const Json& body) {
  Json copy = body;
  copy.erase("secrets");
  return copy;
}

// The row and what changed of its secrets, in one transaction.
Task<Result<void>> write_down(store::Store& store, store::NoticeRow row,
                              std::vector<store::SecretRow> before,
                              std::vector<store::SecretRow> after, bool insert) {
  return store.write<void>([row = std::move(row), before = std::move(before),
                            after = std::move(after),
                            insert](store::SessionRef sql) -> Result<void> {
    TRIBUTARY_TRY(insert ? store::Notices::insert(sql, row) : store::Notices::update(sql, row));
    for (const auto& secret : before) {
      if (std::ranges::find(after, secret.field, &store::SecretRow::field) == after.end())
        TRIBUTARY_TRY(store::Secrets::remove(sql, row.id, secret.field));
    }
    for (const auto& secret : after) TRIBUTARY_TRY(store::Secrets::put(sql, secret));
    return {};
  });
}

// Text of a stranger, for people to read: printable ASCII, the rest as dots.
std::string shown(const std::string& body) {
  std::string text = body.substr(0, kShownAnswer);
  for (char& c : text) {
    if ((c < 0x20 && c != '\n' && c != '\t') || c > 0x7e) c = '.';
  }
  return text;
}

}  // namespace

Notices::Impl::Impl(Runtime& runtime_, store::Store& store_, const secrets::Vault& vault_,
                    connect::Manager& manager_, http::Client& client_)
    : runtime(runtime_),
      store(store_),
      vault(vault_),
      manager(manager_),
      client(client_),
      random(random_seed()),
      mutations(runtime_.control()) {}

Result<void> Notices::Impl::load() {
  std::vector<store::NoticeRow> rows;
  std::vector<store::OutboxRow> waiting;
  std::vector<store::SecretRow> sealed;
  TRIBUTARY_TRY(store.read_now([&](store::SessionRef sql) -> Result<void> {
    auto notices = store::Notices::all(sql);
    TRIBUTARY_TRY(notices);
    auto outbox = store::Outbox::all(sql);
    TRIBUTARY_TRY(outbox);
    auto secret_rows = store::Secrets::all(sql);
    TRIBUTARY_TRY(secret_rows);
    rows = std::move(*notices);
    waiting = std::move(*outbox);
    sealed = std::move(*secret_rows);
    return {};
  }));
  for (store::NoticeRow& row : rows) {
    auto entry = std::make_shared<Entry>(std::move(row));
    std::ranges::copy_if(sealed, std::back_inserter(entry->secrets),
                         [&](const auto& secret) { return secret.connection_id == entry->row.id; });
    install(std::move(entry));
  }
  for (store::OutboxRow& row : waiting) {
    last_created = std::max(last_created, row.created_at);
    if (const auto entry = find(row.notice_id)) entry->lane->push(std::move(row));
  }
  states = manager.watch_states([this](const connect::StateChange& change) { on_state(change); });
  alarms = manager.alarms().watch([this](const connect::AlarmRow& alarm) { on_alarm(alarm); });
  return {};
}

void Notices::Impl::stop() {
  closed = true;
  states.reset();
  alarms.reset();
  for (const auto& [id, entry] : entries) {
    entry->timer.reset();
    entry->lane->stop();
  }
}

std::shared_ptr<Notices::Impl::Entry> Notices::Impl::find(const std::string& id) const {
  const auto found = entries.find(id);
  return found == entries.end() ? nullptr : found->second;
}

NoticeView Notices::Impl::view(const Entry& entry) const {
  NoticeView view;
  view.row = entry.row;
  view.pending = entry.lane ? entry.lane->pending() : 0;
  view.last_error = entry.last_error;
  for (const std::string_view name : {kSigningSecret, kAuthorization}) {
    connect::SecretView secret;
    const auto row = std::ranges::find(entry.secrets, std::string(name), &store::SecretRow::field);
    if (row != entry.secrets.end()) secret = {true, row->changed_at};
    view.secrets.emplace_back(name, secret);
  }
  return view;
}

std::optional<Error> Notices::Impl::name_taken(const std::string& name,
                                               const std::string& except_id) const {
  for (const auto& [id, entry] : entries) {
    if (id == except_id || entry->row.name != name) continue;
    return connect::name_taken_error("notice", name);
  }
  return std::nullopt;
}

Notices::Notices(Runtime& runtime, store::Store& store, const secrets::Vault& vault,
                 connect::Manager& manager, http::Client& client)
    : impl_(std::make_shared<Impl>(runtime, store, vault, manager, client)) {}

Notices::~Notices() {
  impl_->closed = true;
}

Result<void> Notices::load() {
  return impl_->load();
}

void Notices::stop() {
  impl_->stop();
}

std::vector<NoticeView> Notices::notices() const {
  std::vector<NoticeView> views;
  for (const auto& [id, entry] : impl_->entries) views.push_back(impl_->view(*entry));
  return views;
}

std::optional<NoticeView> Notices::notice(const std::string& id) const {
  const auto entry = impl_->find(id);
  if (!entry) return std::nullopt;
  return impl_->view(*entry);
}

Task<Outcome<NoticeView>> Notices::create(Json body, Actor, bool dry_run) {
  const auto impl = impl_;
  auto errors = check_body(body, impl->client.guard(), impl->manager);
  if (!errors.empty()) co_return invalid(std::move(errors));
  const auto lock = co_await impl->mutations.lock();
  if (impl->entries.size() >= kMaxNotices) {
    co_return refused(Error(ErrorClass::kFunction, "too_many_notices",
                            fmt::format("There are {} notices already.", kMaxNotices),
                            "Delete one that nobody needs, or widen a filter."));
  }
  store::NoticeRow row;
  from_body(body, row);
  const UtcTime now = impl->runtime.clock().utc_now();
  row.id = make_id(now);
  row.created_at = row.updated_at = now;
  if (auto taken = impl->name_taken(row.name, {})) co_return refused(*std::move(taken));
  auto entry = std::make_shared<Impl::Entry>(std::move(row));
  entry->secrets = connect::seal_secrets(
      impl->vault, entry->row.id, {}, get_member(body, "secrets"), impl->runtime.clock().utc_now());
  if (dry_run) co_return impl->view(*entry);
  auto writing = write_down(impl->store, entry->row, {}, entry->secrets, true);
  Result<void> stored = co_await std::move(writing);
  if (!stored) co_return refused(std::move(stored.error()));
  if (!impl->closed) impl->install(entry);
  co_return impl->view(*entry);
}

Task<Outcome<NoticeView>> Notices::update(std::string id, Json patch, std::int64_t expected_version,
                                          Actor, bool dry_run) {
  const auto impl = impl_;
  const auto lock = co_await impl->mutations.lock();
  const auto entry = impl->find(id);
  if (!entry) co_return refused(no_such_notice());
  if (expected_version != 0 && expected_version != entry->row.version) {
    co_return refused(Error(
        ErrorClass::kFunction, "version_conflict",
        fmt::format("The notice was changed meanwhile: it is at version {}.", entry->row.version),
        "Load it again and repeat the change."));
  }
  Json body = merge_patch(to_body(entry->row), without_secrets(patch));
  const Json secret_patch = get_member(patch, "secrets");
  if (!secret_patch.is_null()) body["secrets"] = secret_patch;
  auto errors = check_body(body, impl->client.guard(), impl->manager);
  if (!errors.empty()) co_return invalid(std::move(errors));
  store::NoticeRow row = entry->row;
  from_body(body, row);
  ++row.version;
  row.updated_at = impl->runtime.clock().utc_now();
  if (auto taken = impl->name_taken(row.name, id)) co_return refused(*std::move(taken));
  auto changed = std::make_shared<Impl::Entry>(std::move(row));
  changed->secrets = connect::seal_secrets(impl->vault, id, entry->secrets, secret_patch,
                                           impl->runtime.clock().utc_now());
  changed->lane = entry->lane;
  changed->last_error = entry->last_error;
  if (dry_run) co_return impl->view(*changed);
  auto writing = write_down(impl->store, changed->row, entry->secrets, changed->secrets, false);
  Result<void> stored = co_await std::move(writing);
  if (!stored) co_return refused(std::move(stored.error()));
  // Deliveries went on while the disk was busy.
  changed->row.delivered = entry->row.delivered;
  changed->row.failed = entry->row.failed;
  changed->row.dropped = entry->row.dropped;
  changed->row.last_delivery_at = entry->row.last_delivery_at;
  changed->last_error = entry->last_error;
  entry->timer.reset();
  impl->entries[id] = changed;
  if (!changed->row.enabled) impl->clear_alarm(id);
  changed->lane->set_active(changed->row.enabled);
  changed->lane->retry_now();
  co_return impl->view(*changed);
}

Task<Result<void>> Notices::remove(std::string id) {
  const auto impl = impl_;
  const auto lock = co_await impl->mutations.lock();
  if (!impl->find(id)) co_return fail(no_such_notice());
  auto removal = impl->store.write<void>(
      [id](store::SessionRef sql) { return store::Notices::remove(sql, id); });
  Result<void> removed = co_await std::move(removal);
  if (!removed) co_return removed;
  const auto entry = impl->find(id);
  entry->timer.reset();
  entry->lane->stop();
  impl->entries.erase(id);
  impl->clear_alarm(id);
  co_return Result<void>{};
}

Task<Result<TestResult>> Notices::test(std::string id, bool dry_run) {
  const auto impl = impl_;
  const auto entry = impl->find(id);
  if (!entry) co_return fail(no_such_notice());
  TestResult result;
  if (dry_run) {
    const auto target = impl->client.guard().check_url(get_string(entry->row.document, "url"));
    if (!target) result.error = target.error();
    co_return result;
  }
  const UtcTime now = impl->runtime.clock().utc_now();
  const std::string message_id = make_id(now);
  const SteadyTime begin = impl->runtime.timers().now();
  auto sending = impl->attempt(id, message_id, "test", to_text(test_message(message_id, now)));
  const auto answer = co_await std::move(sending);
  result.duration = impl->runtime.timers().now() - begin;
  if (!answer) {
    result.error = answer.error();
    co_return result;
  }
  result.status = answer->status;
  result.body = shown(answer->body);
  if (const auto checked = http::check_status(*answer); !checked) result.error = checked.error();
  co_return result;
}

Totals Notices::totals() const {
  Totals totals = impl_->totals;
  totals.pending = impl_->writing;
  for (const auto& [id, entry] : impl_->entries) totals.pending += entry->lane->pending();
  return totals;
}

}  // namespace tributary::notices
