// What stored things that have a name and secrets have in common: connections, notices, windows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"
#include "secrets/vault.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {

// kFunction "name_taken": "There is a connection named … already."
Error name_taken_error(std::string_view thing, std::string_view name);

// The secrets of `id` after an edit: a text is sealed in a new version, null takes one away, and
// those that `patch` does not name stay.
std::vector<store::SecretRow> seal_secrets(const secrets::Vault& vault, const std::string& id,
                                           const std::vector<store::SecretRow>& present,
                                           const Json& patch, UtcTime now);

}  // namespace tributary::connect
