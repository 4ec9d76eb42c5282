// What connections were before: a row for each version, in the same transaction as the edit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/rows.hpp"

namespace soci {
class session;
}

namespace tributary::store {

// Of each connection; older ones go.
inline constexpr std::int64_t kMostConnectionVersions = 100;

// Everything that an edit may change. Of secrets only the names of those that it changed: values
// are kept nowhere but in the row of Secrets.
struct ConnectionVersionRow {
  std::string connection_id;
  std::int64_t version = 1;
  std::string name;
  std::string description;
  Json labels;
  Json settings;
  Json reconnect;
  bool autostart = false;
  Json changed_secrets;  // list of names
  std::string actor;     // empty: not known
  UtcTime at;
};

struct ConnectionVersions {
  // The version that `row` is.
  static Result<void> add(soci::session& sql, const ConnectionRow& row, const Json& changed_secrets,
                          const std::string& actor);
  static Result<void> remove_all(soci::session& sql, const std::string& connection_id);
  // Newest first.
  static Result<std::vector<ConnectionVersionRow>> all(soci::session& sql,
                                                       const std::string& connection_id);
  static Result<std::optional<ConnectionVersionRow>> find(soci::session& sql,
                                                          const std::string& connection_id,
                                                          std::int64_t version);
};

}  // namespace tributary::store
