#include "api/audit_view.hpp"

namespace tributary::api {

Json audit_view(const store::AuditRow& row) {
  Json json = json_object();
  json["seq"] = row.seq;
  json["at"] = format_utc(row.at);
  json["actor"] = row.actor;
  json["action"] = row.action;
  json["target"] = row.target;
  json["detail"] = row.detail;
  return json;
}

}  // namespace tributary::api
