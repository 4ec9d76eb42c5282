#include "connect/certificates/certificates.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "connect/certificates/draft.hpp"
#include "connect/certificates/expiry.hpp"
#include "runtime/log.hpp"
#include "secrets/reference.hpp"

namespace tributary::connect {

namespace {

constexpr std::string_view kAlarm = "certificate_expiry";
constexpr Duration kLookEvery{std::chrono::hours{1}};
constexpr Duration kLookSoon{std::chrono::seconds{1}};
constexpr std::string_view kRejected = "rejected";
constexpr std::string_view kTrusted = "trusted";
// Of the hub's own certificate; a larger file is a mistake in the path.
constexpr std::size_t kMaxOwnBytes = 256 * 1024;

using RowKey = std::pair<std::string, std::string>;  // connection, fingerprint

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxOwnBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// How an alarm calls it.
std::string describe_use(const CertificateUse& use, const std::string& title) {
  switch (use.role) {
    case CertificateRole::kHub:
      return "The hub's own server certificate";
    case CertificateRole::kServer:
    case CertificateRole::kDraft:
      return fmt::format("The certificate of the server of \"{}\"", use.connection_name);
    case CertificateRole::kClient:
      if (use.connection_id.empty()) return "The hub's own application certificate";
      [[fallthrough]];
    case CertificateRole::kIssuer:
      return fmt::format("A certificate among the {} of \"{}\"", title, use.connection_name);
  }
  return {};
}

Error not_found() {
  return {ErrorClass::kFunction, "not_found", "There is no such certificate."};
}

}  // namespace

std::string_view to_string(CertificateState state) {
  switch (state) {
    case CertificateState::kOwn:
      return "own";
    case CertificateState::kTrusted:
      return "trusted";
    case CertificateState::kRejected:
      return "rejected";
  }
  return "rejected";
}

std::string_view to_string(CertificateRole role) {
  switch (role) {
    case CertificateRole::kHub:
      return "hub";
    case CertificateRole::kClient:
      return "client";
    case CertificateRole::kIssuer:
      return "issuer";
    case CertificateRole::kServer:
      return "server";
    case CertificateRole::kDraft:
      return "draft";
  }
  return "server";
}

struct Certificates::Impl : std::enable_shared_from_this<Impl> {
  Impl(Executor executor_, Clock& clock_, Timers& timers_, store::Store& store_, Alarms& alarms_,
       Profiles profiles_, NameOf name_of_)
      : executor(std::move(executor_)),
        clock(clock_),
        timers(timers_),
        store(store_),
        alarms(alarms_),
        profiles(std::move(profiles_)),
        name_of(std::move(name_of_)) {}

  // One certificate in one use.
  struct Found {
    net::Certificate certificate;
    CertificateUse use;
    std::string title;
  };

  void look();
  void look_at(SteadyTime when);
  std::vector<Found> watched();
  void add_profiles(std::vector<Found>& found);
  const std::vector<net::Certificate>& parse(const std::string& text);
  void reject(const std::string& connection_id, const net::ShownCertificate& shown);
  void accept(const std::string& connection_id, const net::ShownCertificate& shown);
  void make_room();
  void forget_old_drafts();
  void put(const store::CertificateRow& row);
  void erase(const RowKey& key);
  std::vector<CertificateView> list();
  std::vector<RowKey> rows_of(const std::string& sha256, std::string_view state) const;

  Executor executor;
  Clock& clock;
  Timers& timers;
  store::Store& store;
  Alarms& alarms;
  Profiles profiles;
  NameOf name_of;
  std::string own_path;
  std::map<RowKey, store::CertificateRow> rows;  // rejected, and trusted by people
  struct Server {
    net::Certificate certificate;
    UtcTime last_seen;
  };
  std::map<std::string, Server> servers;  // by connection: what was accepted last
  // Texts as they stand in profiles, and what they hold; kept from one look to the next.
  std::map<std::string, std::vector<net::Certificate>> parsed;
  std::set<AlarmKey> raised;
  std::unique_ptr<Timer> timer;
  std::optional<SteadyTime> due;
  bool closed = false;
};

// ---- what there is ----

const std::vector<net::Certificate>& Certificates::Impl::parse(const std::string& text) {
  const auto known = parsed.find(text);
  if (known != parsed.end()) return known->second;
  auto certificates = net::read_certificates(text, "It");
  // What cannot be read is the attempt's to complain about.
  return parsed
      .emplace(text, certificates ? *std::move(certificates) : std::vector<net::Certificate>{})
      .first->second;
}

void Certificates::Impl::add_profiles(std::vector<Found>& found) {
  std::map<std::string, std::string> references;  // each file is read once per look
  for (auto& each : profiles()) {
    std::string text = each.text;
    if (secrets::is_reference(text)) {
      const auto known = references.find(text);
      if (known == references.end()) {
        auto resolved = secrets::resolve_setting(text, each.title);
        text =
            references.emplace(text, resolved ? *std::move(resolved) : std::string()).first->second;
      } else {
        text = known->second;
      }
    }
    if (text.empty()) continue;
    const auto& certificates = parse(text);
    for (const auto& certificate : certificates) {
      found.push_back({certificate, each.use, each.title});
      // Of the client's chain only its own certificate is the hub's; a bundle of issuers is all
      // trusted.
      if (each.use.role == CertificateRole::kClient) break;
    }
  }
}

std::vector<Certificates::Impl::Found> Certificates::Impl::watched() {
  std::vector<Found> found;
  if (parsed.size() > 10 * kMaxRejected) parsed.clear();
  if (!own_path.empty()) {
    const auto& own = parse(read_text(own_path));
    if (!own.empty()) found.push_back({own.front(), {{}, {}, CertificateRole::kHub}, {}});
  }
  add_profiles(found);
  for (const auto& [id, server] : servers) {
    found.push_back({server.certificate, {id, name_of(id), CertificateRole::kServer}, {}});
  }
  return found;
}

// ---- the watch ----

void Certificates::Impl::look_at(SteadyTime when) {
  if (closed || (due && *due <= when)) return;
  due = when;
  timer = timers.at(executor, when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look();
  });
}

void Certificates::Impl::look() {
  due.reset();
  forget_old_drafts();
  const UtcTime now = clock.utc_now();
  std::set<AlarmKey> wanted;
  for (const auto& each : watched()) {
    const auto step = expiry_step(each.certificate.not_after, now);
    if (!step) continue;
    AlarmKey key{each.use.connection_id, std::string(kAlarm), each.certificate.sha256};
    // The same certificate in two places of one connection is one alarm.
    if (!wanted.insert(key).second) continue;
    raised.insert(key);
    alarms.raise(std::move(key), step->severity,
                 expiry_message(describe_use(each.use, each.title), each.certificate, *step));
  }
  std::erase_if(raised, [&](const AlarmKey& key) {
    if (wanted.contains(key)) return false;
    alarms.clear(key);
    return true;
  });
  look_at(clock.steady_now() + kLookEvery);
}

// ---- what servers show ----

void Certificates::Impl::put(const store::CertificateRow& row) {
  store.post_write([row](soci::session& sql) { return store::Certificates::put(sql, row); },
                   [](Result<void> written) {
                     if (!written)
                       log::warning("connect", "A server's certificate could not be stored.",
                                    {{"error", written.error().message}});
                   });
}

void Certificates::Impl::erase(const RowKey& key) {
  rows.erase(key);
  store.post_write(
      [key](soci::session& sql) { return store::Certificates::remove(sql, key.first, key.second); },
      [](Result<void> written) {
        if (!written)
          log::warning("connect", "A server's certificate could not be removed from the store.",
                       {{"error", written.error().message}});
      });
}

void Certificates::Impl::make_room() {
  while (true) {
    std::size_t count = 0;
    auto oldest = rows.end();
    for (auto row = rows.begin(); row != rows.end(); ++row) {
      if (row->second.state != kRejected) continue;
      ++count;
      if (oldest == rows.end() || row->second.last_seen < oldest->second.last_seen) oldest = row;
    }
    if (count < kMaxRejected) return;
    erase(RowKey(oldest->first));
  }
}

void Certificates::Impl::reject(const std::string& connection_id,
                                const net::ShownCertificate& shown) {
  const UtcTime now = clock.utc_now();
  const RowKey key{connection_id, shown.certificate.sha256};
  const bool known = rows.contains(key);
  if (!known) make_room();
  store::CertificateRow& row = rows[key];
  if (!known) {
    row.connection_id = connection_id;
    row.sha256 = shown.certificate.sha256;
    row.state = kRejected;
    row.pem = shown.certificate.pem;
    row.first_seen = now;
  }
  row.code = shown.refusal.code;
  row.message = shown.refusal.message;
  row.last_seen = now;
  put(row);
}

void Certificates::Impl::accept(const std::string& connection_id,
                                const net::ShownCertificate& shown) {
  const UtcTime now = clock.utc_now();
  // Nobody depends on the server of a draft yet: it is not watched.
  if (!is_draft(connection_id)) servers[connection_id] = {shown.certificate, now};
  // What was refused before has been replaced: there is nothing left to decide.
  std::vector<RowKey> settled;
  for (auto& [key, row] : rows) {
    if (key.first != connection_id) continue;
    if (row.state == kRejected) settled.push_back(key);
    if (key.second == shown.certificate.sha256) row.last_seen = now;
  }
  for (const auto& key : settled) erase(key);
}

void Certificates::Impl::forget_old_drafts() {
  const UtcTime now = clock.utc_now();
  std::vector<RowKey> old;
  for (const auto& [key, row] : rows) {
    if (is_draft(key.first) && now - row.last_seen >= kDraftLives) old.push_back(key);
  }
  for (const auto& key : old) erase(key);
}

// ---- the list ----

std::vector<CertificateView> Certificates::Impl::list() {
  std::map<std::pair<std::string, CertificateState>, CertificateView> views;
  const auto view_of = [&views](const net::Certificate& certificate,
                                CertificateState state) -> CertificateView& {
    auto [at, is_new] = views.try_emplace({certificate.sha256, state});
    if (is_new) {
      at->second.certificate = certificate;
      at->second.state = state;
    }
    return at->second;
  };
  for (auto& each : watched()) {
    const bool own =
        each.use.role == CertificateRole::kHub || each.use.role == CertificateRole::kClient;
    auto& view =
        view_of(each.certificate, own ? CertificateState::kOwn : CertificateState::kTrusted);
    if (each.use.role == CertificateRole::kServer) {
      view.last_seen =
          std::max(view.last_seen, std::optional(servers.at(each.use.connection_id).last_seen));
    }
    view.used_by.push_back(std::move(each.use));
  }
  for (const auto& [key, row] : rows) {
    const auto& certificates = parse(row.pem);
    if (certificates.empty()) continue;
    const bool rejected = row.state == kRejected;
    auto& view = view_of(certificates.front(),
                         rejected ? CertificateState::kRejected : CertificateState::kTrusted);
    view.last_seen = std::max(view.last_seen, std::optional(row.last_seen));
    if (rejected) {
      view.code = row.code;
      view.message = row.message;
    } else {
      view.decided = true;
      view.decided_by = row.decided_by;
      view.decided_at = row.decided_at;
    }
    if (is_draft(key.first)) {
      view.used_by.push_back({key.first, draft_target(key.first), CertificateRole::kDraft});
      continue;
    }
    const bool listed = std::ranges::any_of(view.used_by, [&](const CertificateUse& use) {
      return use.connection_id == key.first && use.role == CertificateRole::kServer;
    });
    if (!listed) {
      view.used_by.push_back({key.first, name_of(key.first), CertificateRole::kServer});
    }
  }
  std::vector<CertificateView> list;
  for (auto& [key, view] : views) list.push_back(std::move(view));
  std::ranges::stable_sort(list, {}, [](const auto& view) { return view.certificate.not_after; });
  return list;
}

std::vector<RowKey> Certificates::Impl::rows_of(const std::string& sha256,
                                                std::string_view state) const {
  std::vector<RowKey> keys;
  for (const auto& [key, row] : rows) {
    if (key.second == sha256 && row.state == state) keys.push_back(key);
  }
  return keys;
}

// ---- the interface ----

Certificates::Certificates(Executor executor, Clock& clock, Timers& timers, store::Store& store,
                           Alarms& alarms, Profiles profiles, NameOf name_of)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, timers, store, alarms,
                                   std::move(profiles), std::move(name_of))) {}

Certificates::~Certificates() {
  impl_->timer.reset();
}

Result<void> Certificates::load() {
  return impl_->store.read_now([this](soci::session& sql) -> Result<void> {
    auto rows = store::Certificates::all(sql);
    TRIBUTARY_TRY(rows);
    for (auto& row : *rows) {
      RowKey key{row.connection_id, row.sha256};
      impl_->rows.emplace(std::move(key), std::move(row));
    }
    return {};
  });
}

void Certificates::start() {
  impl_->look_at(impl_->clock.steady_now());
}

void Certificates::close() {
  impl_->closed = true;
  impl_->timer.reset();
}

void Certificates::set_own(std::string path) {
  impl_->own_path = std::move(path);
  changed();
}

void Certificates::changed() {
  impl_->look_at(impl_->clock.steady_now() + kLookSoon);
}

void Certificates::shown(const std::string& connection_id, const net::ShownCertificate& shown) {
  if (shown.accepted) {
    impl_->accept(connection_id, shown);
  } else {
    impl_->reject(connection_id, shown);
  }
  changed();
}

void Certificates::forget_connection(const std::string& connection_id) {
  impl_->servers.erase(connection_id);
  std::erase_if(impl_->rows, [&](const auto& item) { return item.first.first == connection_id; });
  impl_->store.post_write(
      [connection_id](soci::session& sql) {
        return store::Certificates::remove_all(sql, connection_id);
      },
      [](Result<void> written) {
        if (!written)
          log::warning("connect", "Certificates of a deleted connection could not be removed.",
                       {{"error", written.error().message}});
      });
  changed();
}

std::vector<CertificateView> Certificates::list() const {
  impl_->forget_old_drafts();
  return impl_->list();
}

std::vector<std::string> Certificates::trusted_for(const std::string& connection_id) const {
  if (is_draft(connection_id)) impl_->forget_old_drafts();
  std::vector<std::string> texts;
  for (const auto& [key, row] : impl_->rows) {
    if (key.first == connection_id && row.state == kTrusted) texts.push_back(row.pem);
  }
  return texts;
}

std::optional<Error> Certificates::refuses_trust(const std::string& sha256) const {
  const auto keys = impl_->rows_of(sha256, kRejected);
  if (keys.empty()) {
    const auto all = impl_->list();
    const bool known = std::ranges::any_of(
        all, [&](const auto& view) { return view.certificate.sha256 == sha256; });
    if (!known) return not_found();
    return Error(ErrorClass::kFunction, "certificate_not_rejected",
                 "This certificate was not rejected: there is nothing to decide.");
  }
  const auto& certificates = impl_->parse(impl_->rows.at(keys.front()).pem);
  if (!certificates.empty() && certificates.front().not_after <= impl_->clock.utc_now()) {
    return Error(ErrorClass::kFunction, "certificate_expired",
                 "This certificate has expired; trusting it would not help.",
                 "Renew it at the server.");
  }
  return std::nullopt;
}

std::optional<Error> Certificates::refuses_removal(const std::string& sha256) const {
  if (!impl_->rows_of(sha256, kRejected).empty() || !impl_->rows_of(sha256, kTrusted).empty()) {
    return std::nullopt;
  }
  const auto all = impl_->list();
  const bool known =
      std::ranges::any_of(all, [&](const auto& view) { return view.certificate.sha256 == sha256; });
  if (!known) return not_found();
  return Error(ErrorClass::kFunction, "certificate_in_use",
               "This certificate stands in a profile, is the hub's own, or was accepted because of "
               "its issuer.",
               "Change the profile, or replace the certificate where it comes from.");
}

Task<Result<std::vector<std::string>>> Certificates::trust(std::string sha256, std::string by) {
  const auto impl = impl_;
  if (auto refusal = refuses_trust(sha256)) co_return fail(*std::move(refusal));
  const UtcTime now = impl->clock.utc_now();
  std::vector<store::CertificateRow> decided;
  for (const auto& key : impl->rows_of(sha256, kRejected)) {
    store::CertificateRow row = impl->rows.at(key);
    row.state = kTrusted;
    row.decided_by = by;
    row.decided_at = now;
    decided.push_back(std::move(row));
  }
  auto writing = impl->store.write<void>([decided](soci::session& sql) -> Result<void> {
    for (const auto& row : decided) TRIBUTARY_TRY(store::Certificates::put(sql, row));
    return {};
  });
  const Result<void> written = co_await std::move(writing);
  if (!written) co_return fail(written.error());
  std::vector<std::string> connections;
  for (auto& row : decided) {
    connections.push_back(row.connection_id);
    RowKey key{row.connection_id, row.sha256};
    impl->rows.insert_or_assign(std::move(key), std::move(row));
  }
  co_return connections;
}

Task<bool> Certificates::adopt(std::string draft, std::string connection_id) {
  const auto impl = impl_;
  impl->forget_old_drafts();
  std::vector<store::CertificateRow> brought, kept;
  for (const auto& [key, row] : impl->rows) {
    if (key.first != draft) continue;
    brought.push_back(row);
    // What the connection trusts already stays trusted.
    if (row.state == kRejected && impl->rows.contains({connection_id, row.sha256})) continue;
    kept.push_back(row);
    kept.back().connection_id = connection_id;
  }
  if (brought.empty()) co_return false;
  // Taken at once: what is saved of the same draft meanwhile gets nothing.
  for (const auto& row : brought) impl->rows.erase({draft, row.sha256});
  auto writing = impl->store.write<void>([brought, kept](soci::session& sql) -> Result<void> {
    for (const auto& row : brought)
      TRIBUTARY_TRY(store::Certificates::remove(sql, row.connection_id, row.sha256));
    for (const auto& row : kept) TRIBUTARY_TRY(store::Certificates::put(sql, row));
    return {};
  });
  const Result<void> written = co_await std::move(writing);
  if (!written) {
    log::warning("connect", "What was decided about a draft's server could not be stored.",
                 {{"connection", connection_id}, {"error", written.error().message}});
    for (auto& row : brought) {
      RowKey key{draft, row.sha256};
      impl->rows.emplace(std::move(key), std::move(row));
    }
    co_return false;
  }
  bool decided = false;
  for (auto& row : kept) {
    decided = decided || row.state == kTrusted;
    RowKey key{row.connection_id, row.sha256};
    impl->rows.insert_or_assign(std::move(key), std::move(row));
  }
  changed();
  co_return decided;
}

Task<Result<std::vector<std::string>>> Certificates::remove(std::string sha256) {
  const auto impl = impl_;
  if (auto refusal = refuses_removal(sha256)) co_return fail(*std::move(refusal));
  auto keys = impl->rows_of(sha256, kRejected);
  std::vector<std::string> trusting;
  for (const auto& key : impl->rows_of(sha256, kTrusted)) {
    keys.push_back(key);
    trusting.push_back(key.first);
  }
  auto writing = impl->store.write<void>([keys](soci::session& sql) -> Result<void> {
    for (const auto& key : keys) {
      TRIBUTARY_TRY(store::Certificates::remove(sql, key.first, key.second));
    }
    return {};
  });
  const Result<void> written = co_await std::move(writing);
  if (!written) co_return fail(written.error());
  for (const auto& key : keys) impl->rows.erase(key);
  for (const auto& id : trusting) impl->servers.erase(id);
  co_return trusting;
}

}  // namespace tributary::connect
