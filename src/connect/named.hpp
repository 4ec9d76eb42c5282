// What stored things that have a name and secrets have in common: connections, notices, windows.
#pragma once

#include <fmt/format.h>

#include <set>
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

// Names that are being stored, while this is there.
class Arriving {
 public:
  Arriving(std::set<std::string>& names, std::string name) : names_(names), name_(std::move(name)) {
    names_.insert(name_);
  }
  ~Arriving() { names_.erase(name_); }
  Arriving(const Arriving&) = delete;
  Arriving& operator=(const Arriving&) = delete;

 private:
  std::set<std::string>& names_;
  std::string name_;
};
// A name of its own for what is called `name` within `owner`; with an empty owner, in the hub.
inline std::string arriving_name(std::string_view owner, std::string_view name) {
  return fmt::format("{}/{}", owner, name);
}

// The secrets of `id` after an edit: a text is sealed in a new version, null takes one away, and
// those that `patch` does not name stay.
std::vector<store::SecretRow> seal_secrets(const secrets::Vault& vault, const std::string& id,
                                           const std::vector<store::SecretRow>& present,
                                           const Json& patch, UtcTime now);

}  // namespace tributary::connect
