// Certificates of servers, as connections met them and as people decided about them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "store/session.hpp"
#include "store/store.hpp"

namespace tributary::store {

struct CertificateRow {
  std::string connection_id;
  std::string sha256;
  std::string state;  // "rejected" | "trusted"
  std::string pem;
  std::string code;  // why it was refused when it was met last
  std::string message;
  UtcTime first_seen;
  UtcTime last_seen;
  std::string decided_by;  // who trusts it
  std::optional<UtcTime> decided_at;
};

struct Certificates {
  // Inserts or replaces the row of (connection_id, sha256).
  static Result<void> put(soci::session& sql, const CertificateRow& row);
  static Result<void> remove(soci::session& sql, const std::string& connection_id,
                             const std::string& sha256);
  static Result<void> remove_all(soci::session& sql, const std::string& connection_id);
  static Result<std::vector<CertificateRow>> all(soci::session& sql);
};

}  // namespace tributary::store
