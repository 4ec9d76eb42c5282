// What apply, plan and export work with: connections with their functions, pipelines and
// maintenance windows, in YAML or JSON.
//
//   connections:
//     - name: Bottling line
//       type: modbus
//       settings: {host: 127.0.0.1, port: "${port:-502}"}
//       secrets: {password: "env:PASSWORD"}
//       functions:
//         - {name: Live values, type: modbus.subscribe, settings: {…}}
//   pipelines:
//     - name: Lamp
//       nodes:
//         - {id: t1, type: trigger.function, settings: {function: Bottling line/Live values}}
//
//   maintenanceWindows:
//     - name: Night shift
//       reason: firmware
//       timeZone: Europe/Berlin
//       schedule: {kind: daily, at: "02:00", durationMinutes: 60}
//       targets: {connections: [Bottling line]}
//
// Functions are referred to by "connection/function" in the member `function` of a node's settings;
// the API has functionId. So do other members that refer to things
// (orchestrate/model/portable.hpp). Targets of windows have names in `connections`, the API
// connectionIds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/arguments.hpp"
#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::app {

struct Document {
  std::vector<Json> connections;  // each may have "functions"
  std::vector<Json> pipelines;
  std::vector<Json> maintenance_windows;
};

// `${name}` and `${name:-fallback}` in plain scalars are replaced from `variables` before their
// type is decided. Errors, kFunction "invalid_document": not YAML, an unknown member, a missing
// name, a variable without a value.
Result<Document> parse_document(const std::string& text,
                                const std::map<std::string, std::string>& variables);

// A file for the commands about pipelines: such a document, one pipeline, or what the API exports.
Result<Document> parse_pipelines(const std::string& text,
                                 const std::map<std::string, std::string>& variables);
// Any YAML or JSON.
Result<Json> parse_yaml(const std::string& text,
                        const std::map<std::string, std::string>& variables);

// The text of a file; "-" is standard input. Error: "invalid_document".
Result<std::string> read_text(const std::string& path);
// The values of --set NAME=VALUE. Error: "usage".
Result<std::map<std::string, std::string>> set_variables(const Arguments& arguments);

// YAML of a document; `comments` are lines put at the top.
std::string format_document(const Document& document, const std::vector<std::string>& comments);

// The connections by name and id, for maintenance windows to refer to.
class ConnectionNames {
 public:
  void add(const std::string& name, std::string id);
  // targets.connections → targets.connectionIds. Names nobody knows stay out.
  Json with_ids(const Json& window) const;
  // The inverse, for export. Ids of connections that are gone are dropped.
  Json with_names(const Json& window) const;
  std::vector<std::string> unknown(const Json& window) const;

 private:
  std::map<std::string, std::string> id_by_name_;
  std::map<std::string, std::string> name_by_id_;
};

}  // namespace tributary::app
