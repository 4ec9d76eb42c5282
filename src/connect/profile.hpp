// A connection's configuration as its actor holds it, and the profile that a connector gets from
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

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
};

std::shared_ptr<const ConnectionConfig> make_config(const store::ConnectionRow& row,
                                                    const sdk::Entry& type,
                                                    std::vector<store::SecretRow> secrets);

// With the secrets in the clear; drop it soon. Error: kConfiguration "secret_unavailable", pointer
// "/secrets/…".
Result<sdk::Profile> open_profile(const ConnectionConfig& config, const secrets::Vault& vault);
// Without secrets: enough to prepare functions.
sdk::Profile bare_profile(const ConnectionConfig& config);

// "host:port" of the settings, the authority of their URL, or `fallback`.
std::string target_of(const Json& settings, std::string_view fallback);

}  // namespace tributary::connect
