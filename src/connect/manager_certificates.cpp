// What the manager knows of certificates and credentials: whom people trust, what stands in
// profiles, and what changes behind references.
#include <fmt/ranges.h>

#include "connect/certificates/draft.hpp"
#include "connect/credentials.hpp"
#include "connect/manager_impl.hpp"

namespace tributary::connect {

namespace {

// Edge case 16: at most five seconds from the edit of a secret to the attempt with it.
constexpr Duration kCredentialWatch{std::chrono::seconds{2}};
constexpr std::string_view kDuplicateAlarm = "duplicate_settings";

// Classes of failure that wait for other credentials.
bool waits_for_credentials(const StateView& state) {
  if (state.status != Status::kFailed || !state.cause) return false;
  switch (state.cause->error.error_class) {
    case ErrorClass::kIdentity:
    case ErrorClass::kTrust:
    case ErrorClass::kConfiguration:
      return true;
    default:
      return false;
  }
}

// The values of the unique settings as one text; nullopt when one of them is absent.
std::optional<std::string> unique_key(const ConnectionEntry& entry) {
  if (!entry.type || entry.type->manifest.unique_settings.empty()) return std::nullopt;
  const Json& properties = get_member(entry.type->connection.document(), "properties");
  std::string key = entry.row.type;
  for (const auto& name : entry.type->manifest.unique_settings) {
    const Json& written = get_member(entry.row.settings, name);
    const Json& value =
        written.is_null() ? get_member(get_member(properties, name), "default") : written;
    if (value.is_null()) return std::nullopt;
    key += "\n" + to_text(value);
  }
  return key;
}

std::string names_of(const std::vector<std::string>& settings) {
  return fmt::format("{}", fmt::join(settings, ", "));
}

}  // namespace

std::shared_ptr<const ConnectionConfig> Manager::Impl::config_of(
    const ConnectionEntry& entry) const {
  auto made = make_config(entry.row, *entry.type, entry.secrets);
  ConnectionConfig config = *made;
  config.node_id = node_id;
  config.application = application;
  config.trusted_certificates = certificates.trusted_for(entry.row.id);
  return std::make_shared<const ConnectionConfig>(std::move(config));
}

Task<bool> Manager::Impl::adopt_draft(std::shared_ptr<const ConnectionConfig> saved, Actor actor) {
  std::string draft = draft_id(actor.name, saved->type->manifest.type, saved->target);
  co_return co_await certificates.adopt(std::move(draft), saved->id);
}

std::vector<ProfileCertificates> Manager::Impl::profile_certificates() const {
  std::vector<ProfileCertificates> found;
  if (application) {
    found.push_back({{{}, {}, CertificateRole::kClient}, "application", application->certificate});
  }
  for (const auto& [id, entry] : connections) {
    if (!entry.type) continue;
    for (auto& setting : certificate_settings(entry.type->connection, entry.row.settings)) {
      const auto role = setting.own ? CertificateRole::kClient : CertificateRole::kIssuer;
      found.push_back({{id, entry.row.name, role}, setting.title, std::move(setting.value)});
    }
  }
  return found;
}

void Manager::Impl::check_unique_settings(const std::string& id) {
  const auto* entry = find(id);
  const auto key = entry ? unique_key(*entry) : std::nullopt;
  if (const auto before = unique_keys.find(id); before != unique_keys.end()) {
    const std::string old_key = before->second;
    unique_keys.erase(before);
    unique_groups[old_key].erase(id);
    alarms.clear({id, std::string(kDuplicateAlarm), {}});
    mark_duplicates(old_key);
  }
  if (!key) return;
  unique_keys[id] = *key;
  unique_groups[*key].insert(id);
  mark_duplicates(*key);
}

void Manager::Impl::mark_duplicates(const std::string& key) {
  const auto group = unique_groups.find(key);
  if (group->second.empty()) {
    unique_groups.erase(group);
    return;
  }
  for (const auto& id : group->second) {
    AlarmKey alarm{id, std::string(kDuplicateAlarm), {}};
    if (group->second.size() < 2) {
      alarms.clear(alarm);
      continue;
    }
    const auto* entry = find(id);
    const auto* other =
        find(*group->second.begin() == id ? *group->second.rbegin() : *group->second.begin());
    if (!entry || !other) continue;
    alarms.raise(std::move(alarm), Severity::kWarning,
                 fmt::format("\"{}\" and \"{}\" have the same {}: they will throw each other out. "
                             "Give each its own.",
                             entry->row.name, other->row.name,
                             names_of(entry->type->manifest.unique_settings)));
  }
}

Task<void> Manager::Impl::trust_changed(std::vector<std::string> connection_ids, Actor actor) {
  for (const auto& id : connection_ids) {
    auto* entry = find(id);
    if (!entry || !entry->actor) continue;
    const auto target = entry->actor;
    const auto config = config_of(*entry);
    auto configure = [target, config, by = actor.name] {
      return target->configure(config, true, true, by);
    };
    // What became of the state comes with the actor's news.
    static_cast<void>(co_await run_on(target->executor(), std::move(configure)));
  }
}

void Manager::Impl::arm_credential_watch() {
  if (closing) return;
  credential_watch = runtime.timers().at(runtime.control(),
                                         runtime.clock().steady_now() + kCredentialWatch, [this] {
                                           watch_credentials();
                                           arm_credential_watch();
                                         });
}

void Manager::Impl::watch_credentials() {
  for (auto& [id, used] : used_credentials) {
    const auto* entry = find(id);
    if (!entry || !entry->actor || !waits_for_credentials(entry->state)) continue;
    const auto config = config_of(*entry);
    const std::string now = credential_fingerprint(*config, vault);
    if (now.empty() || now == used) continue;
    used = now;
    spawn(runtime.control(), [](std::shared_ptr<Impl*> impl, std::string connection) -> Task<void> {
      if (*impl) co_await (*impl)->credentials_changed(std::move(connection));
    }(alive, id));
  }
}

Task<void> Manager::Impl::credentials_changed(std::string id) {
  lifecycle::Event event = lifecycle::ConfigChanged{{}, true};
  static_cast<void>(co_await command(std::move(id), std::move(event)));
}

Certificates& Manager::certificates() {
  return impl_->certificates;
}

Task<Result<void>> Manager::trust_certificate(std::string sha256, Actor actor) {
  auto trusting = co_await impl_->certificates.trust(std::move(sha256), actor.name);
  if (!trusting) co_return fail(std::move(trusting.error()));
  co_await impl_->trust_changed(*std::move(trusting), std::move(actor));
  co_return Result<void>{};
}

Task<Result<void>> Manager::remove_certificate(std::string sha256, Actor actor) {
  auto trusting = co_await impl_->certificates.remove(std::move(sha256));
  if (!trusting) co_return fail(std::move(trusting.error()));
  co_await impl_->trust_changed(*std::move(trusting), std::move(actor));
  co_return Result<void>{};
}

}  // namespace tributary::connect
