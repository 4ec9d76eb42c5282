#include "connect/named.hpp"

#include <algorithm>

namespace tributary::connect {

Error name_taken_error(std::string_view thing, std::string_view name) {
  return {ErrorClass::kFunction, "name_taken",
          fmt::format("There is a {} named \"{}\" already.", thing, name), "Choose another name.",
          "/name"};
}

std::vector<store::SecretRow> seal_secrets(const secrets::Vault& vault, const std::string& id,
                                           const std::vector<store::SecretRow>& present,
                                           const Json& patch, UtcTime now) {
  std::vector<store::SecretRow> rows = present;
  if (!patch.is_object()) return rows;
  for (const auto& member : patch.object_range()) {
    const std::string field(member.key());
    const auto old = std::ranges::find(rows, field, &store::SecretRow::field);
    const std::int64_t version = old == rows.end() ? 1 : old->version + 1;
    if (old != rows.end()) rows.erase(old);
    if (member.value().is_null()) continue;
    const Secret secret(member.value().as_string_view());
    rows.push_back({id, field, vault.seal(id, field, version, secret), version, now});
  }
  return rows;
}

}  // namespace tributary::connect
