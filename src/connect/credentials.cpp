#include "connect/credentials.hpp"

#include <sodium.h>

#include "secrets/reference.hpp"

namespace tributary::connect {

namespace {

using Key = std::array<unsigned char, crypto_generichash_KEYBYTES>;

// Of this process: hashes of weak passwords must not be worth stealing from a memory dump.
const Key& process_key() {
  static const Key key = [] {
    Key made{};
    randombytes_buf(made.data(), made.size());
    return made;
  }();
  return key;
}

template <typename Digest>
Digest hash_of(std::string_view text) {
  Digest digest{};
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     process_key().data(), process_key().size());
  return digest;
}

// "/settings/tls/ca" → "tls/ca"
std::string short_name(const std::string& pointer) {
  constexpr std::string_view kSettings = "/settings/";
  return pointer.substr(kSettings.size());
}

template <typename Visit>
void visit_credentials(const ConnectionConfig& config, const sdk::Profile& profile,
                       const Visit& visit) {
  for (const auto& [name, secret] : profile.secrets) visit(name, secret.reveal());
  for (const auto& setting : certificate_settings(config.type->connection, profile.settings)) {
    visit(short_name(setting.pointer), std::string_view(setting.value));
  }
}

std::string fingerprint_of(const ConnectionConfig& config, const sdk::Profile& profile) {
  std::string all;
  visit_credentials(config, profile, [&all](const std::string& name, std::string_view value) {
    const auto digest = hash_of<std::array<char, 32>>(value);
    all += name + ":" + std::string(digest.data(), digest.size()) + ";";
  });
  return all;
}

}  // namespace

std::string CredentialVersions::note(const ConnectionConfig& config, const sdk::Profile& profile) {
  std::map<std::string, Digest> now;
  std::string changed;
  visit_credentials(config, profile, [&](const std::string& name, std::string_view value) {
    const auto digest = hash_of<Digest>(value);
    now[name] = digest;
    const auto before = seen_.find(name);
    if (first_ || (before != seen_.end() && before->second == digest)) return;
    changed += (changed.empty() ? "" : ", ") + name;
  });
  seen_ = std::move(now);
  fingerprint_ = fingerprint_of(config, profile);
  first_ = false;
  return changed;
}

bool has_references(const ConnectionConfig& config, const secrets::Vault& vault) {
  const auto settings = certificate_settings(config.type->connection, config.settings);
  if (std::ranges::any_of(settings,
                          [](const auto& each) { return secrets::is_reference(each.value); })) {
    return true;
  }
  return std::ranges::any_of(config.secrets, [&](const store::SecretRow& row) {
    const auto secret = vault.unseal(config.id, row.field, row.version, row.sealed);
    return secret && secrets::is_reference(secret->reveal());
  });
}

std::string credential_fingerprint(const ConnectionConfig& config, const secrets::Vault& vault) {
  const auto profile = open_profile(config, vault);
  return profile ? fingerprint_of(config, *profile) : std::string();
}

}  // namespace tributary::connect
