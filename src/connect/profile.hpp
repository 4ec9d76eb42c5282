// A connection's configuration as its actor holds it, and the profile that a connector gets from
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connect/certificates/application.hpp"
#include "connect/lifecycle/policy.hpp"
#include "sdk/registry.hpp"
#include "secrets/vault.hpp"
#include "store/rows.hpp"

namespace tributary::connect {

// Immutable; an edit makes a new one.
struct ConnectionConfig {
  std::string id;
  std::string name;
  const sdk::Entry* type = nullptr;
  Json settings;  // valid, defaults filled
  lifecycle::Policy policy;
  std::vector<store::SecretRow> secrets;  // sealed: opened on each attempt only
  std::string target;                     // what attempts take turns at
  // Of the hub and of people's decisions; not part of the profile.
  std::string node_id;
  std::vector<std::string> trusted_certificates;   // PEM
  std::shared_ptr<const Application> application;  // null where there is no hub
};

// A setting that holds certificates ("x-certificates" in the schema), as it is written: a reference
// is not resolved.
struct CertificateSetting {
  std::string pointer;  // "/settings/tls/ca"
  std::string title;    // "CA certificates"
  bool own = false;     // what the hub shows, rather than whom it trusts
  std::string value;
};
std::vector<CertificateSetting> certificate_settings(const schema::Schema& schema,
                                                     const Json& settings);

std::shared_ptr<const ConnectionConfig> make_config(const store::ConnectionRow& row,
                                                    const sdk::Entry& type,
                                                    std::vector<store::SecretRow> secrets);

// Whether connections of this type show an application certificate ("x-certificates":
// "application").
bool shows_application(const schema::Schema& schema);

// With the secrets in the clear and the references of secrets and certificates read; drop it soon.
// Where the profile names no application certificate, it is the hub's, with its key as the secret
// "applicationKey".
// Errors, kConfiguration: "secret_unavailable", pointer "/secrets/…"; "setting_unavailable",
// pointer
// "/settings/…".
Result<sdk::Profile> open_profile(const ConnectionConfig& config, const secrets::Vault& vault);
// Without secrets: enough to prepare functions.
sdk::Profile bare_profile(const ConnectionConfig& config);

// "host:port" of the settings, the authority of their URL, or `fallback`.
std::string target_of(const Json& settings, std::string_view fallback);

}  // namespace tributary::connect
